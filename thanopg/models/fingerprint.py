"""One hash for a model's geometry: vectors may be compared only where it is equal.

The SHA-256 over these parts, each with its length before it (8 bytes, big endian):
"thanopg model 1"; canonical JSON (sorted keys, no spaces) of the architecture's configuration; the same of the
preprocessing with mean and deviation; the dimensions in decimal; then for every tensor of the state dict, in the
order of their names: name, dtype, shape in JSON, and its elements in row-major order, little endian.
It depends neither on the file format the weights came in nor on the device or precision they run with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

FORMAT = b"thanopg model 1"
NOT_GEOMETRY = frozenset({"hf_model_pretrained", "timm_model_pretrained"})
"""flags in a configuration that say where initial weights came from, not what the model is"""


def fingerprint(
    *,
    architecture: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    dimensions: int,
    state: Mapping[str, torch.Tensor],
) -> str:
    """Hex SHA-256, 64 characters."""
    digest = hashlib.sha256()

    def add(part: bytes | memoryview) -> None:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)

    add(FORMAT)
    add(_canonical(architecture))
    add(_canonical(preprocessing))
    add(str(dimensions).encode())
    for part in _state_parts(state):
        add(part)
    return digest.hexdigest()


def _state_parts(state: Mapping[str, torch.Tensor]) -> Iterator[bytes | memoryview]:
    for name in sorted(state):
        tensor = state[name].detach().to("cpu").contiguous()
        yield name.encode()
        yield str(tensor.dtype).removeprefix("torch.").encode()
        yield json.dumps(list(tensor.shape)).encode()
        elements: NDArray[np.uint8] = tensor.reshape(-1).view(torch.uint8).numpy()
        yield elements.data


def _canonical(value: object) -> bytes:
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _plain(value: object) -> object:
    """Tuples become lists, paths and dtypes text; two spellings of one configuration become the same."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if key not in NOT_GEOMETRY}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
