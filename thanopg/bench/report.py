"""What was measured, as plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Model:
    source: str
    fingerprint: str
    dimensions: int
    device: str
    engine: str
    precision: str
    text_engine: str
    tried: Sequence[Mapping[str, Any]]
    """each: what (model or texts), engine, precision, smallest cosine to float32's vectors, seconds for a sample; empty
    where there was no choice"""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Pictures of about one size, and what a worker makes of them. Milliseconds of one processor, for one picture."""

    label: str
    files: int
    kilobytes: float
    """mean size of a file"""
    decode_ms: float
    """as the worker does it"""
    decode_exact_ms: float
    """with --exact"""
    images_per_second: float
    """expected of one worker: decoding and the model were run together, and writing comes on top"""

    def seconds_for(self, images: int) -> float:
        return images / self.images_per_second


@dataclass(frozen=True, kw_only=True)
class Forward:
    """Pictures through the model, in a worker's batches."""

    what: str
    """vectors or captions"""
    batch: int
    images_per_second: float
    cpu_ms: float
    """of this machine's processors together, an image"""


@dataclass(frozen=True, kw_only=True)
class Texts:
    one_ms: float
    batch: int
    texts_per_second: float
    """in batches"""


@dataclass(frozen=True, kw_only=True)
class Writing:
    row_ms: float
    """claim, read and write, from begin to end"""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything of one run. None: the model does not do that, or there was no database."""

    measured_at: str
    """ISO 8601, UTC"""
    machine: str
    processors: int
    decoders: int
    model: Model
    pictures: Sequence[Pictures] = ()
    unusable: Mapping[str, int] = field(default_factory=dict)
    """of the user's own pictures, by fault"""
    forward: Forward | None = None
    texts: Texts | None = None
    writing: Writing | None = None
    not_written: str = ""
    """why writing was not measured"""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
