"""The small model: its open_clip configuration, its two towers while training, and how it is saved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.nn import functional

from thanopg.catalog.training.tokens import save_tokenizer
from thanopg.models.captioner import remove_captioner
from thanopg.models.torchvision_shim import import_torchvision

CONTEXT_LENGTH = 40
VOCABULARY = 4096
CHUNKS = 5
MEAN = (0.79, 0.77, 0.76)
DEVIATION = (0.24, 0.25, 0.25)


def configuration(*, side: int, vocabulary: int = VOCABULARY) -> dict[str, Any]:
    """open_clip's `model_cfg`: a ResNet, which learns from few pictures, and a causal text tower."""
    return {
        "embed_dim": 128,
        "vision_cfg": {"image_size": side, "layers": [1, 1, 1, 1], "width": 24, "head_width": 64},
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": vocabulary,
            "hf_tokenizer_name": "thanopg-catalog",
            "tokenizer_kwargs": {"clean": "whitespace"},
            "width": 160,
            "heads": 5,
            "layers": 3,
            "pool_type": "argmax",
        },
    }


def make_model(config: dict[str, Any]) -> Any:
    """An open_clip CLIP with random weights."""
    import_torchvision()
    from open_clip.model import CLIP

    return CLIP(**config)


def scaled(pixels: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """uint8 (n, h, w, 3) → float32 (n, 3, h, w), as open_clip's transforms leave it."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(0, 3, 1, 2).float().div_(255)
    mean, deviation = (torch.tensor(values, device=device).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return images.sub_(mean).div_(deviation).contiguous(memory_format=torch.channels_last)


def image_vectors(model: Any, images: torch.Tensor) -> torch.Tensor:
    return functional.normalize(model.encode_image(images).float(), dim=-1)


def text_vectors(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """Of rows as long as the longest text: behind a causal mask padding changes nothing."""
    length = ids.shape[1]
    x = model.token_embedding(ids) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    pooled = x[torch.arange(len(x), device=x.device), ids.argmax(dim=-1)] @ model.text_projection
    return functional.normalize(pooled.float(), dim=-1)


def text_vectors_by_length(model: Any, rows: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
    """Rows of token ids of any length → (n, d) in their order; long rows don't make short ones longer."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    chunk = max(1, -(-len(rows) // CHUNKS))
    parts = []
    for start in range(0, len(order), chunk):
        chosen = [rows[i] for i in order[start : start + chunk]]
        ids = torch.zeros((len(chosen), len(chosen[-1])), dtype=torch.long)
        for i, row in enumerate(chosen):
            ids[i, : len(row)] = torch.tensor(row)
        parts.append(text_vectors(model, ids.to(device)))
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(parts)[back.to(device)]


def save_model(model: Any, config: dict[str, Any], tokenizer: Tokenizer, directory: Path) -> None:
    """open_clip's local-dir format, weights as float16. A captioner that lies there belongs to others: it goes."""
    directory.mkdir(parents=True, exist_ok=True)
    remove_captioner(directory)
    preprocessing = {
        "mean": list(MEAN),
        "std": list(DEVIATION),
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    text = json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing}, indent=2)
    (directory / "open_clip_config.json").write_text(text + "\n", encoding="utf-8")
    save_tokenizer(tokenizer, directory, context_length=config["text_cfg"]["context_length"])
    state = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).detach().cpu().contiguous().clone()
        for name, tensor in model.state_dict().items()
    }
    weights = directory / "open_clip_model.safetensors"
    save_file(state, weights, metadata={"format": "pt"})
    weights.chmod(0o644)
