"""The model that travels with the package: where it lies and what is known of it without loading it. No torch here."""

from __future__ import annotations

import json
from pathlib import Path

from thanopg.errors import ModelUnavailable
from thanopg.models.embedder import ModelInfo

BUNDLED_DIRECTORY = Path(__file__).parents[1] / "catalog" / "model"
INFO_FILE = "thanopg.json"


def read_bundled_info(directory: Path = BUNDLED_DIRECTORY) -> ModelInfo:
    """What `load_embedder("bundled:catalog").info` will say. Raises ModelUnavailable."""
    file = directory / INFO_FILE
    try:
        return ModelInfo(**json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise ModelUnavailable(
            f"the bundled model's description can't be read: {file}", hint="install the package again"
        ) from error
