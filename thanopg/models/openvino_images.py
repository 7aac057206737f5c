"""An image tower compiled by OpenVINO, which runs ViTs on CPUs in a half to a third of torch's time.

The converted tower is kept in the user's cache, because converting takes seconds; its name says of which weights and by
which version it was made. A cache that can't be written is done without.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from thanopg.config import user_cache
from thanopg.models.quiet import quiet
from thanopg.models.text_tower import Encode

BATCH_TRACED = 2
"""pictures that the tower is traced with; one would be taken for a constant"""


def has_openvino() -> bool:
    """Whether the extra `thanopg[openvino]` is installed."""
    try:
        import openvino  # noqa: F401
    except ImportError:
        return False
    return True


def compile_images(model: Any, *, size: tuple[int, int], fingerprint: str, bfloat16: bool) -> Encode:
    """An open_clip model's `encode_image`: float32 (n, 3, height, width), scaled → float32 (n, dimensions).

    `size` is (height, width). Raises RuntimeError for a tower that OpenVINO can't convert.
    """
    import openvino

    core = openvino.Core()
    with quiet():
        compiled = core.compile_model(
            _converted(core, model, size=size, fingerprint=fingerprint),
            "CPU",
            {"INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32", "NUM_STREAMS": "1"},
        )
    request = compiled.create_infer_request()

    def encode(images: torch.Tensor) -> torch.Tensor:
        found = request.infer([images.contiguous().numpy()], share_inputs=True)
        return torch.from_numpy(found[0].copy())  # the request owns what it returns

    return encode


def _converted(core: Any, model: Any, *, size: tuple[int, int], fingerprint: str) -> Any:
    import openvino

    kept = cache_directory() / f"{fingerprint}-{openvino.__version__.partition('-')[0]}"
    with contextlib.suppress(RuntimeError):  # not there, or damaged
        return core.read_model(kept / "images.xml")
    try:
        converted = openvino.convert_model(
            _ImageTower(model),
            example_input=torch.zeros((BATCH_TRACED, 3, *size)),
            input=[-1, 3, *size],
        )
    except RuntimeError:
        raise
    except Exception as error:  # its front end raises whatever an unknown operation leads to
        raise RuntimeError(f"OpenVINO can't convert this image tower: {error}") from error
    with contextlib.suppress(OSError), _replaced(kept) as draft:
        openvino.save_model(converted, draft / "images.xml", compress_to_fp16=False)
    return converted


def cache_directory() -> Path:
    """Converted towers, each about as large as the weights it came from; may be deleted at any time."""
    return user_cache() / "openvino"


@contextlib.contextmanager
def _replaced(directory: Path) -> Iterator[Path]:
    """A draft that becomes `directory` in one step, so that nobody ever reads half of it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{directory.name}.", dir=directory.parent))
    try:
        yield draft
        shutil.rmtree(directory, ignore_errors=True)
        draft.replace(directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


class _ImageTower(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.model.encode_image(images)
        return features
