"""infinity-emb: its engine as in its documentation, `image_embed` of many pictures at once.

The engine batches by itself, and prepares the next batch in a thread while the model works on one; it is given so many
batches at once, because opened pictures stay in memory. Torch is the only one of its engines that knows image models.
`compile` is off, as in its Python interface.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.protocol import Embed, files, serve
from thanopg.models.torchvision_shim import import_torchvision

import_torchvision()
from infinity_emb import AsyncEmbeddingEngine, EngineArgs  # noqa: E402  (the line above makes these importable)
from PIL import Image  # noqa: E402

BATCHES = 4
"""that the engine has to choose from"""


def load(directory: Path) -> Embed:
    engine = AsyncEmbeddingEngine.from_args(EngineArgs(model_name_or_path=str(directory), engine="torch", device="cpu"))

    async def embedded(paths: list[Path], batch: int) -> NDArray[np.float32]:
        vectors: list[NDArray[np.float32]] = []
        async with engine:
            for start in range(0, len(paths), BATCHES * batch):
                images = [Image.open(path) for path in paths[start : start + BATCHES * batch]]
                vectors += (await engine.image_embed(images=images))[0]
        return np.stack(vectors)

    def embed(pictures: Path, batch: int) -> NDArray[np.float32]:
        return asyncio.run(embedded(files(pictures), batch))

    return embed


if __name__ == "__main__":
    serve(load)
