"""The model that comes with the package, as install registers it."""

from __future__ import annotations

import json
from pathlib import Path

NAME = "catalog"
DIRECTORY = Path(__file__).resolve().parent.parent / "catalog" / "model"
INFO = DIRECTORY / "thanopg.json"
CAPTIONER = DIRECTORY / "captioner_config.json"


def bundled_model() -> str:
    """As JSON, under the names of the columns of `thanopg.model`."""
    return json.dumps(
        {
            "can_caption": False,
            "can_embed_texts": True,
            "can_embed_images": True,
            "languages": json.loads(CAPTIONER.read_text())["languages"] if CAPTIONER.is_file() else None,
            **json.loads(INFO.read_text()),
            "name": NAME,
        }
    )
