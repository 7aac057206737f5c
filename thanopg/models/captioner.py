"""Captions from a model directory's own small captioner, on the model's frozen image tower.

`captioner_config.json` and `captioner.safetensors` beside an open_clip model in local-dir format are one. They change
nothing about the model's vectors or its fingerprint, and they belong to that fingerprint alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from thanopg.errors import ModelUnavailable
from thanopg.models.attribute_words import AttributeWords
from thanopg.models.caption_decoder import CaptionDecoder, CaptionerConfig, FeatureMap
from thanopg.models.decoding import beam, greedy
from thanopg.models.embedder import Caption
from thanopg.models.stored import first_line
from thanopg.models.tokens import Tokenizer

CONFIG_FILE, WEIGHTS_FILE = "captioner_config.json", "captioner.safetensors"
MISFIT_HINT = "train it again beside these weights: python -m thanopg.catalog train-captions"
DAMAGED_HINT = "the captioner's two files are damaged or do not belong together: fetch or train them again"


class TowerCaptioner:
    """Writes captions over a tokenizer's words from an image tower's feature maps."""

    def __init__(self, visual: Any, tokenizer: Tokenizer, decoder: CaptionDecoder) -> None:
        """All on one device, in evaluation mode."""
        self._visual = visual
        self._tokenizer = tokenizer
        self._decoder = decoder
        self.languages = decoder.config.languages
        self._words = AttributeWords(decoder.config.attributes) if decoder.config.attributes else None

    def caption(self, images: torch.Tensor, *, language: str, beams: int = 1) -> list[Caption]:
        """float32 (n, 3, height, width), scaled → n captions; `language` is one of `languages`. One beam is greedy."""
        with torch.inference_mode():
            seen = self._decoder.look(feature_maps(self._visual, images, self._decoder.config.maps))
            start = torch.full((len(images), 1), self._decoder.start(language), device=images.device)
            rows = write(self._decoder, seen, start, beams=beams)
        tokens = self._decoder.config.tokens
        return [self._caption(self._tokenizer.decode([tokens[number] for number in row])) for row in rows]

    def _caption(self, text: str) -> Caption:
        return Caption(text, self._words.attributes(text) if self._words else None)


def write(decoder: CaptionDecoder, seen: torch.Tensor, starts: torch.Tensor, *, beams: int = 1) -> list[list[int]]:
    """What `CaptionDecoder.look` gave and start tokens (n, 1) → for each picture the captioner's own numbers."""
    limit = decoder.config.context_length - 1
    if beams == 1:
        return greedy(lambda ids: decoder(seen, ids)[:, -1], starts, end=0, limit=limit)
    repeated = seen.repeat_interleave(beams, dim=0)
    return beam(lambda ids: decoder(repeated, ids)[:, -1], starts, end=0, limit=limit, beams=beams)


def feature_maps(visual: Any, images: torch.Tensor, maps: Sequence[FeatureMap]) -> list[torch.Tensor]:
    """The tower's intermediate maps, each (n, places, channels)."""
    found = visual.forward_intermediates(images, indices=[each.index for each in maps], intermediates_only=True)
    return [each.flatten(2).transpose(1, 2) for each in found["image_intermediates"]]


def has_captioner(directory: Path) -> bool:
    """Whether there are files of one; they may still be damaged."""
    return (directory / CONFIG_FILE).exists() or (directory / WEIGHTS_FILE).exists()


def read_config(file: Path) -> CaptionerConfig:
    """Raises ModelUnavailable."""
    try:
        return CaptionerConfig.from_json(json.loads(file.read_bytes()))
    except FileNotFoundError:
        raise ModelUnavailable(f"no {file.name} in {file.parent}", hint=DAMAGED_HINT) from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelUnavailable(f"{file} can't be read: {first_line(error)}", hint=DAMAGED_HINT) from error


def remove_captioner(directory: Path) -> None:
    """For when the model beside it changes."""
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        (directory / name).unlink(missing_ok=True)


def load_captioner(
    directory: Path, *, fingerprint: str, visual: Any, tokenizer: Tokenizer, device: torch.device
) -> TowerCaptioner:
    """Raises ModelUnavailable when a file is missing, damaged, or of another model."""
    config = read_config(directory / CONFIG_FILE)
    if config.fingerprint != fingerprint:
        raise ModelUnavailable(
            f"the captioner in {directory} belongs to a model with fingerprint {config.fingerprint[:12]}…, "
            f"not {fingerprint[:12]}…",
            hint=MISFIT_HINT,
        )
    file = directory / WEIGHTS_FILE
    try:
        decoder = CaptionDecoder(config)
        decoder.load_state_dict({name: tensor.float() for name, tensor in load_file(file).items()})
    except Exception as error:  # safetensors and torch each raise their own
        raise ModelUnavailable(
            f"the captioner {file} could not be loaded: {first_line(error)}", hint=DAMAGED_HINT
        ) from error
    return TowerCaptioner(visual, tokenizer, decoder.to(device).eval().requires_grad_(False))


def save_captioner(decoder: CaptionDecoder, directory: Path) -> None:
    """Weights as float16."""
    state = {name: tensor.detach().half().cpu().contiguous().clone() for name, tensor in decoder.state_dict().items()}
    weights = directory / WEIGHTS_FILE
    save_file(state, weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    text = json.dumps(decoder.config.as_json(), ensure_ascii=False)
    (directory / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
