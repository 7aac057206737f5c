"""LanceDB's `open-clip` embedding function, as in its documentation: rows with `image_uri` are added to a table.

Its own settings: pictures are opened, and embedded one at a time, by a pool of threads of Python's default size;
`batch_size` is how many it hands to the pool at once, and stays at its default. Rows are read back from the table.

For each `add` it makes the function anew from the table's metadata, twice, and so loads the model twice. Loading is in
nobody's seconds here, so the function that was made first is used again.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.protocol import Embed, files, serve
from thanopg.models.torchvision_shim import import_torchvision

import_torchvision()
import lancedb  # noqa: E402  (the line above makes open_clip importable, which it imports when asked)
from lancedb.embeddings import get_registry  # noqa: E402
from lancedb.pydantic import LanceModel, Vector  # noqa: E402


def load(directory: Path) -> Embed:
    kind = get_registry().get("open-clip")
    function = kind.create(name="ViT-B-32", pretrained=str(directory / "open_clip_model.safetensors"))
    kind.create = classmethod(lambda cls, **settings: function)

    class Images(LanceModel):
        image_uri: str = function.SourceField()
        vector: Vector(function.ndims()) = function.VectorField()

    def embed(pictures: Path, batch: int) -> NDArray[np.float32]:
        store = tempfile.mkdtemp()
        try:
            table = lancedb.connect(store).create_table("images", schema=Images)
            table.add([{"image_uri": str(path)} for path in files(pictures)])
            rows = sorted(table.to_arrow().to_pylist(), key=lambda row: row["image_uri"])
            return np.array([row["vector"] for row in rows], dtype=np.float32)
        finally:
            shutil.rmtree(store)

    return embed


if __name__ == "__main__":
    serve(load)
