"""From any text that names a model to an embedder. torch is imported only when a real model is loaded."""

from __future__ import annotations

import os

from thanopg.models.bases import SENTENCE_TRANSFORMERS, TRANSFORMERS, resolve_source
from thanopg.models.embedder import Embedder
from thanopg.models.fake import FakeEmbedder

SPINS = "1000"
"""turns that a waiting thread of GNU OpenMP makes before it sleeps, instead of 300,000"""
PRIMITIVES = "256"
"""kernels that oneDNN keeps, instead of 1,024"""


def load_embedder(
    source: str, *, device: str | None = None, precision: str = "auto", engine: str = "torch"
) -> Embedder:
    """Base name or source → embedder.

    `device`: cuda, cuda:N, mps or cpu; None takes the best there is. `precision`: auto, fp32 or bf16; auto never
    moves a vector by more than a cosine of 0.9999 away from float32's. `engine`: torch, openvino, or auto for the
    quicker of the two on this model and machine, for pictures and for texts apart; the trial takes seconds.
    Raises UnknownModel, InvalidArgument, ModelUnavailable.
    """
    canonical = resolve_source(source)
    if canonical.startswith("fake:"):
        return FakeEmbedder(int(canonical.removeprefix("fake:")))
    _leave_processors_to_others()
    _keep_few_kernels()
    if canonical.startswith(TRANSFORMERS):
        from thanopg.models.transformers_loading import load_transformers

        return load_transformers(canonical, device=device, precision=precision)
    if canonical.startswith(SENTENCE_TRANSFORMERS):
        from thanopg.models.sentence_loading import load_sentence_encoder

        return load_sentence_encoder(canonical, device=device, precision=precision)
    from thanopg.models.open_clip import load_open_clip

    return load_open_clip(canonical, device=device, precision=precision, engine=engine)


def _leave_processors_to_others() -> None:
    """Service, worker and PostgreSQL often share a few cores, and torch's threads burn what they wait for.

    Beside as many busy threads as cores, a text took about 45 ms so, and 25 to 300 ms with the default, which is a
    fifth quicker on an idle machine. Read when torch is first imported; a policy somebody set is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def _keep_few_kernels() -> None:
    """Batches come in every size, and oneDNN compiles each layer's kernel anew for each of them.

    1,024 of them, in between what forward passes leave free, let a worker with a small convolutional tower grow from
    440 to 830 MB until it has seen all sizes up to 64; 256 take 150 MB and no more time. Read at the first forward
    pass; a number that somebody set is kept.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)
