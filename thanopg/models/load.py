"""From any text that names a model to an embedder. torch is imported only when a real model is loaded."""

from __future__ import annotations

from thanopg.models.bases import resolve_source
from thanopg.models.embedder import Embedder
from thanopg.models.fake import FakeEmbedder


def load_embedder(source: str, *, device: str | None = None, precision: str = "auto") -> Embedder:
    """Base name or source → embedder.

    `device`: cuda, cuda:N, mps or cpu; None takes the best there is. `precision`: auto, fp32 or bf16; auto never
    moves a vector by more than a cosine of 0.9999 away from float32's.
    Raises UnknownModel, InvalidArgument, ModelUnavailable.
    """
    canonical = resolve_source(source)
    if canonical.startswith("fake:"):
        return FakeEmbedder(int(canonical.removeprefix("fake:")))
    from thanopg.models.open_clip import load_open_clip

    return load_open_clip(canonical, device=device, precision=precision)
