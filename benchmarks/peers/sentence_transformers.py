"""sentence-transformers' CLIP, as on the card of clip-ViT-B-32: `encode` of a list of opened pictures.

Float32 with torch: of the faster choices in its documentation for CPUs, ONNX and OpenVINO know no image models, and
16 bits are for GPUs. `encode` has no workers within one process. It is called with as many pictures as it takes at
once, because opened pictures stay in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.protocol import Embed, files, serve
from thanopg.models.torchvision_shim import import_torchvision

import_torchvision()
from PIL import Image  # noqa: E402  (the line above makes the others importable)
from sentence_transformers import SentenceTransformer  # noqa: E402


def load(directory: Path) -> Embed:
    model = SentenceTransformer(str(directory))

    def encoded(paths: list[Path], batch: int) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(paths), batch):
            images = [Image.open(path) for path in paths[start : start + batch]]
            yield model.encode(images, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)

    def embed(pictures: Path, batch: int) -> NDArray[np.float32]:
        return np.concatenate([*encoded(files(pictures), batch)])

    return embed


if __name__ == "__main__":
    serve(load)
