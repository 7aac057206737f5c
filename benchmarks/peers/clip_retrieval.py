"""clip-retrieval's inference: its reader of a folder, its mapper and its writer of .npy, put together by its runner.

`clip-retrieval inference` is the same and more: two processes for statistics, which are left out here because they
import torch anew with each run and nobody runs it for so few pictures. Its own settings: four preprocessing processes,
no jit, float32 on CPUs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.protocol import Embed, serve
from thanopg.models.torchvision_shim import import_torchvision

import_torchvision()
from all_clip import load_clip  # noqa: E402  (the line above makes these importable)
from clip_retrieval.clip_inference.mapper import ClipMapper  # noqa: E402
from clip_retrieval.clip_inference.reader import FilesReader  # noqa: E402
from clip_retrieval.clip_inference.runner import Runner  # noqa: E402
from clip_retrieval.clip_inference.writer import NumpyWriter  # noqa: E402

PROCESSES = 4
"""as `clip-retrieval inference` has by default"""
WHAT = {"enable_image": True, "enable_text": False, "enable_metadata": False}


class Silent:
    """Takes the runner's statistics."""

    def start(self) -> None: ...

    def __call__(self, stats: dict[str, Any]) -> None: ...

    def end(self) -> None: ...


def load(directory: Path) -> Embed:
    model = {"clip_model": f"open_clip:ViT-B-32/{directory}/open_clip_model.safetensors", "use_jit": False}
    _, preprocess, tokenizer = load_clip(**model)

    def embed(pictures: Path, batch: int) -> NDArray[np.float32]:
        with tempfile.TemporaryDirectory() as output:
            runner = Runner(
                reader_builder=lambda sampler: FilesReader(
                    sampler, preprocess, tokenizer, str(pictures), batch, PROCESSES, **WHAT
                ),
                mapper_builder=lambda: mapper,
                writer_builder=lambda number: NumpyWriter(number, output, output_partition_count=1, **WHAT),
                logger_builder=lambda number: Silent(),
                output_partition_count=1,
            )
            runner(0)
            found: NDArray[np.float32] = np.load(f"{output}/img_emb/img_emb_0.npy").astype(np.float32)
            return found

    mapper = ClipMapper(use_mclip=False, mclip_model=None, **model, **WHAT)
    return embed


if __name__ == "__main__":
    serve(load)
