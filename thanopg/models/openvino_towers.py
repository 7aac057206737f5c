"""Towers compiled by OpenVINO: on CPUs a text takes half of torch's time, pictures in bfloat16 six sevenths.

A converted tower is kept in the user's cache, because converting takes seconds; its name says of which weights and by
which version it was made. A cache that can't be written is done without.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from thanopg.config import user_cache
from thanopg.models.quiet import quiet
from thanopg.models.text_tower import ModelMethod, TextEncoder

BATCH_TRACED = 2
"""pictures that the tower is traced with; one would be taken for a constant"""
KERNELS = "256"
"""that are kept for batches and texts of other lengths, instead of 5,000: as many sizes come, and each takes memory"""

Tower = Callable[..., torch.Tensor]


def has_openvino() -> bool:
    """Whether the extra `thanopg[openvino]` is installed."""
    try:
        import openvino  # noqa: F401
    except ImportError:
        return False
    return True


def compile_images(model: Any, *, size: tuple[int, int], fingerprint: str, bfloat16: bool) -> Tower:
    """An open_clip model's `encode_image`: float32 (n, 3, height, width), scaled → float32 (n, dimensions).

    `size` is (height, width). Raises RuntimeError for a tower that OpenVINO can't convert.
    """
    example = torch.zeros((BATCH_TRACED, 3, *size))
    return _compiled(
        "images", ModelMethod(model, "encode_image"), [example], [[-1, 3, *size]], fingerprint, bfloat16=bfloat16
    )


def compile_texts(encoder: TextEncoder, ids: torch.Tensor, *, fingerprint: str) -> TextEncoder:
    """The same encoder in float32 on another engine; `ids` are of two or more texts, int64 (n, context length).

    Raises RuntimeError for a tower that OpenVINO can't convert.
    """
    example = encoder.inputs(ids)
    shapes = [[-1, -1], [-1]] if encoder.trims else [[-1, ids.shape[1]]]
    return encoder.run_by("openvino", _compiled("texts", encoder.tower, example, shapes, fingerprint, bfloat16=False))


def _compiled(
    what: str,
    tower: torch.nn.Module,
    example: Sequence[torch.Tensor],
    shapes: Sequence[Sequence[int]],
    fingerprint: str,
    *,
    bfloat16: bool,
) -> Tower:
    """-1 in a shape: any length."""
    import openvino

    core = openvino.Core()
    with quiet():
        compiled = core.compile_model(
            _converted(core, what, tower, example, shapes, fingerprint),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
                "NUM_STREAMS": "1",
                "CPU_RUNTIME_CACHE_CAPACITY": KERNELS,
            },
        )
    request = compiled.create_infer_request()

    def run(*inputs: torch.Tensor) -> torch.Tensor:
        found = request.infer([each.contiguous().numpy() for each in inputs], share_inputs=True)
        return torch.from_numpy(found[0].copy())  # the request owns what it returns

    return run


def _converted(
    core: Any,
    what: str,
    tower: torch.nn.Module,
    example: Sequence[torch.Tensor],
    shapes: Sequence[Sequence[int]],
    fingerprint: str,
) -> Any:
    import openvino

    kept = cache_directory() / f"{fingerprint}-{openvino.__version__.partition('-')[0]}-{what}"
    with contextlib.suppress(RuntimeError):  # not there, or damaged
        return core.read_model(kept / f"{what}.xml")
    try:
        converted = openvino.convert_model(tower, example_input=tuple(example), input=list(shapes))
    except RuntimeError:
        raise
    except Exception as error:  # its front end raises whatever an unknown operation leads to
        raise RuntimeError(f"OpenVINO can't convert this tower for {what}: {error}") from error
    with contextlib.suppress(OSError), _replaced(kept) as draft:
        openvino.save_model(converted, draft / f"{what}.xml", compress_to_fp16=False)
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
