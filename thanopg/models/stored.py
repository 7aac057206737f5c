"""What lies in a model's directory, as it is on disk: configurations, and tensors in safetensors files.

A fingerprint is taken of these rather than of a loaded model, whose names and defaults change with its library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from thanopg.errors import ModelUnavailable

TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model", "*.tiktoken")
"""files of which any tokenizer of transformers has at least one"""
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SAFETENSORS_HINT = (
    "weights are read from safetensors files only; many repositories have them at another revision: "
    "organisation/name@refs/pr/N"
)
NOT_THE_MODEL = frozenset({"transformers_version", "_name_or_path"})
"""what a configuration says of the file and not of the model"""


class StoredTensors(Mapping[str, torch.Tensor]):
    """The tensors of several files, each read when it is asked for."""

    def __init__(self, files: Mapping[str, tuple[Path, ...]]) -> None:
        """`files`: by what is written before the names of their tensors. Raises what safetensors raises."""
        self._files: dict[str, tuple[Any, str]] = {}
        for before, several in files.items():
            for file in several:
                opened: Any = safe_open(file, framework="pt")
                self._files |= {before + name: (opened, name) for name in opened.keys()}  # noqa: SIM118  (no mapping)

    def __getitem__(self, name: str) -> torch.Tensor:
        opened, within = self._files[name]
        tensor: torch.Tensor = opened.get_tensor(within)
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def weight_files(directory: Path) -> tuple[Path, ...]:
    """The files of a model's weights, one or several. Raises ModelUnavailable."""
    if (directory / WEIGHTS).is_file():
        return (directory / WEIGHTS,)
    if not (directory / INDEX).is_file():
        raise ModelUnavailable(f"no {WEIGHTS} in {directory}", hint=SAFETENSORS_HINT)
    places = read_json(directory / INDEX).get("weight_map")
    if not isinstance(places, dict) or not all(
        isinstance(name, str) and Path(name).name == name for name in places.values()
    ):
        raise ModelUnavailable(f"no weight_map in {directory / INDEX}", hint=SAFETENSORS_HINT)
    files = tuple(directory / name for name in sorted(set(places.values())))
    for file in files:
        if not file.is_file():
            raise ModelUnavailable(f"no {file.name} in {directory}", hint="a part of the weights is missing: fetch it")
    return files


def check_tokenizer(directory: Path) -> None:
    """Raises ModelUnavailable; transformers makes an empty tokenizer where there is none, and says nothing."""
    if not any(file for pattern in TOKENIZERS for file in directory.glob(pattern)):
        raise ModelUnavailable(
            f"no tokenizer in {directory}", hint=f"expected {', '.join(TOKENIZERS[:3])} or a *.model"
        )


def read_json(file: Path) -> dict[str, Any]:
    """An object. Raises ModelUnavailable."""
    value = _read(file)
    if not isinstance(value, dict):
        raise ModelUnavailable(f"{file} can't be read: it holds no object", hint=_hint(file))
    return value


def read_list(file: Path) -> list[dict[str, Any]]:
    """An array of objects. Raises ModelUnavailable."""
    value = _read(file)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ModelUnavailable(f"{file} can't be read: it holds no array of objects", hint=_hint(file))
    return value


def plain_configuration(value: Any) -> Any:
    """A configuration without what changes when the same model is saved again."""
    if isinstance(value, dict):
        return {name: plain_configuration(member) for name, member in value.items() if name not in NOT_THE_MODEL}
    return [plain_configuration(member) for member in value] if isinstance(value, list) else value


def first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ModelUnavailable(f"no {file.name} in {file.parent}", hint=_hint(file)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{file} can't be read: {first_line(error)}", hint=_hint(file)) from error


def _hint(file: Path) -> str:
    return f"{file.parent} must hold a model's files as save_pretrained writes them and the hub has them"
