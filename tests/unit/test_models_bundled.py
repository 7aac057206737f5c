"""What is known of the bundled model without loading it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thanopg.errors import ModelUnavailable
from thanopg.models.bundled import INFO_FILE, read_bundled_info
from thanopg.models.load import load_embedder


def test_a_description_that_was_written_is_read(tmp_path: Path) -> None:
    info = load_embedder("fake:8").info
    (tmp_path / INFO_FILE).write_text(json.dumps(info.as_json()))
    assert read_bundled_info(tmp_path) == info


@pytest.mark.parametrize("text", [None, "{", "{}", "[]", '{"source": "x", "more": 1}'])
def test_a_description_that_is_missing_or_broken(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / INFO_FILE).write_text(text)
    with pytest.raises(ModelUnavailable, match="bundled model"):
        read_bundled_info(tmp_path)
