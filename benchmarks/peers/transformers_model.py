"""open_clip's random ViT in the files of transformers and of sentence-transformers: the same weights, renamed.

Written without either library, because each peer has a version of its own and all of them read these files.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from thanopg.models.torchvision_shim import import_torchvision

import_torchvision()
from open_clip.tokenizer import bytes_to_unicode, default_bpe  # noqa: E402  (the line above makes it importable)

Tensor = NDArray[np.float32]
START, END = "<|startoftext|>", "<|endoftext|>"
MERGES = 49152 - 256 - 2
"""that CLIP uses of the ones in its file"""
NORMS = {"ln_1": "layer_norm1", "ln_2": "layer_norm2"}
LINEARS = {"attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
VISION = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre": "vision_model.pre_layrnorm",
    "visual.ln_post": "vision_model.post_layernorm",
}
TEXT = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final": "text_model.final_layer_norm",
    "logit_scale": "logit_scale",
}
PROJECTIONS = {"visual.proj": "visual_projection.weight", "text_projection": "text_projection.weight"}
"""which transformers keeps the other way round"""


def save_for_transformers(source: Path, directory: Path) -> Path:
    """`directory`, with the model of open_clip's local-dir `source` for CLIPModel and SentenceTransformer."""
    directory.mkdir(parents=True)
    written = json.loads((source / "open_clip_config.json").read_text())
    weights = load_file(source / "open_clip_model.safetensors")
    save_file(
        {
            name: np.asarray(tensor, order="C")
            for old, found in weights.items()
            for name, tensor in _renamed(old, found)
        },
        directory / "model.safetensors",
        metadata={"format": "pt"},
    )
    vocabulary, merges = _vocabulary()
    for name, content in {
        "config.json": _configuration(written["model_cfg"]),
        "preprocessor_config.json": _preprocessing(written["model_cfg"], written["preprocess_cfg"]),
        "vocab.json": {token: number for number, token in enumerate(vocabulary)},
        "tokenizer_config.json": _tokenizing(written["model_cfg"]),
        "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.CLIPModel"}],
    }.items():
        (directory / name).write_text(json.dumps(content))
    (directory / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    return directory


def _renamed(name: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    if name in PROJECTIONS:
        yield PROJECTIONS[name], tensor.T
        return
    tower = "vision_model" if name.startswith("visual.") else "text_model"
    _, block, rest = name.partition("transformer.resblocks.")
    if not block:
        stem, _, kind = name.rpartition(".")
        known = VISION | TEXT
        yield (known[name] if name in known else f"{known[stem]}.{kind}"), tensor
        return
    number, _, part = rest.partition(".")
    layer = f"{tower}.encoder.layers.{number}"
    if part.startswith("attn.in_proj_"):
        for which, third in zip("qkv", np.split(tensor, 3), strict=True):
            yield f"{layer}.self_attn.{which}_proj.{part.removeprefix('attn.in_proj_')}", third
        return
    stem, _, kind = part.rpartition(".")
    yield f"{layer}.{(NORMS | LINEARS)[stem]}.{kind}", tensor


def _configuration(model: dict[str, Any]) -> dict[str, Any]:
    vision, text = model["vision_cfg"], model["text_cfg"]
    activation = {"hidden_act": "quick_gelu" if model.get("quick_gelu") else "gelu"}
    tokens = {"bos_token_id": text["vocab_size"] - 2, "eos_token_id": text["vocab_size"] - 1, "pad_token_id": 1}
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": model["embed_dim"],
        "torch_dtype": "float32",
        "vision_config": {
            "model_type": "clip_vision_model",
            "hidden_size": vision["width"],
            "intermediate_size": 4 * vision["width"],
            "num_hidden_layers": vision["layers"],
            "num_attention_heads": vision["width"] // vision.get("head_width", 64),
            "image_size": vision["image_size"],
            "patch_size": vision["patch_size"],
            "projection_dim": model["embed_dim"],
            **activation,
        },
        "text_config": {
            "model_type": "clip_text_model",
            "hidden_size": text["width"],
            "intermediate_size": 4 * text["width"],
            "num_hidden_layers": text["layers"],
            "num_attention_heads": text["heads"],
            "max_position_embeddings": text["context_length"],
            "vocab_size": text["vocab_size"],
            "projection_dim": model["embed_dim"],
            **tokens,
            **activation,
        },
    }


def _preprocessing(model: dict[str, Any], preprocess: dict[str, Any]) -> dict[str, Any]:
    size = model["vision_cfg"]["image_size"]
    return {
        "image_processor_type": "CLIPImageProcessor",
        "feature_extractor_type": "CLIPFeatureExtractor",
        "processor_class": "CLIPProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": size},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": size, "width": size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(preprocess["mean"]),
        "image_std": list(preprocess["std"]),
    }


def _tokenizing(model: dict[str, Any]) -> dict[str, Any]:
    return {
        "tokenizer_class": "CLIPTokenizer",
        "processor_class": "CLIPProcessor",
        "model_max_length": model["text_cfg"]["context_length"],
        "bos_token": START,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
    }


def _vocabulary() -> tuple[list[str], list[str]]:
    """CLIP's tokens in order, and the merges that make them."""
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as lines:
        merges = lines.read().split("\n")[1 : MERGES + 1]
    letters = list(bytes_to_unicode().values())
    words = ["".join(merge.split()) for merge in merges]
    return [*letters, *(letter + "</w>" for letter in letters), *words, START, END], merges
