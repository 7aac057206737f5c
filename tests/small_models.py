"""Random models in open_clip's local-dir format, small ones and a real architecture, for tests with torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import save_file

from thanopg.models.embedder import Vectors
from thanopg.models.torchvision_shim import import_torchvision

VISION = {"image_size": 32, "patch_size": 8, "width": 64, "layers": 2, "head_width": 32}
TEXT = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
SMALL: dict[str, Any] = {"embed_dim": 48, "vision_cfg": VISION, "text_cfg": TEXT}
BOTH_WAYS: dict[str, Any] = {
    "embed_dim": 48,
    "custom_text": True,
    "init_logit_bias": -10,
    "vision_cfg": VISION,
    "text_cfg": {**TEXT, "no_causal_mask": True, "pool_type": "last", "proj_bias": True},
}
"""like SigLIP's text tower: every token sees every other, padding too"""
CUSTOM_TEXT: dict[str, Any] = {**SMALL, "custom_text": True}
CAPTIONER: dict[str, Any] = {
    "embed_dim": 48,
    "custom_text": True,
    "vision_cfg": {**VISION, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
    "text_cfg": {**TEXT, "width": 48, "embed_cls": True, "output_tokens": True},
    "multimodal_cfg": {**TEXT, "dim_head": 16, "mlp_ratio": 4, "attn_pooler_heads": 2, "width": 48, "heads": 2},
}
PIXELS: dict[str, Any] = {"mean": [0.48, 0.45, 0.40], "std": [0.26, 0.27, 0.28], "interpolation": "bicubic"}


def save_model(
    directory: Path, architecture: str | dict[str, Any], *, pixels: dict[str, Any] | None = None, half: bool = False
) -> str:
    """Writes a model with random weights, always the same ones; returns its source."""
    import_torchvision()
    import open_clip

    directory.mkdir(parents=True, exist_ok=True)
    configuration = open_clip.get_model_config(architecture) if isinstance(architecture, str) else architecture
    write_configuration(directory, configuration, pixels or PIXELS)
    torch.manual_seed(0)
    kind = open_clip.CLIP
    if configuration.get("custom_text"):
        kind = open_clip.CoCa if "multimodal_cfg" in configuration else open_clip.CustomTextCLIP
    model = kind(**{key: value for key, value in configuration.items() if key != "custom_text"})
    state = {name: tensor.half() if half else tensor for name, tensor in model.state_dict().items()}
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, directory / "open_clip_model.safetensors")
    return f"local-dir:{directory}"


class Plain:
    """What open_clip makes of texts and files without us."""

    def __init__(self, source: str) -> None:
        import_torchvision()
        import open_clip

        self.model, _, self._preprocess = open_clip.create_model_and_transforms(source)
        self.model.eval()
        self._tokenizer = open_clip.get_tokenizer(source)

    def texts(self, texts: list[str]) -> Vectors:
        with torch.no_grad():
            vectors: Vectors = self.model.encode_text(self._tokenizer(texts), normalize=True).numpy()
        return vectors

    def files(self, files: list[Path]) -> Vectors:
        images = torch.stack([self._preprocess(Image.open(file)) for file in files])
        with torch.no_grad():
            vectors: Vectors = self.model.encode_image(images, normalize=True).numpy()
        return vectors


def write_configuration(directory: Path, model: dict[str, Any], pixels: dict[str, Any]) -> None:
    text = json.dumps({"model_cfg": model, "preprocess_cfg": pixels})
    (directory / "open_clip_config.json").write_text(text)


def save_tokenizer(directory: Path) -> None:
    """A byte-level tokenizer of transformers, beside a model whose configuration names one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<pad>", "<start>", "<end>"]
    vocabulary = {token: index for index, token in enumerate([*special[:2], *alphabet, special[2]])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[(token, vocabulary[token]) for token in special[1:]]
    )
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers has no types here
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<start>", eos_token="<end>", padding_side="right"
    ).save_pretrained(directory)
