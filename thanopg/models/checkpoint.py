"""From a source to an open_clip model in memory, on the CPU in float32, with its tokenizer and configuration."""

from __future__ import annotations

import copy
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from thanopg.errors import ModelUnavailable, UnknownModel
from thanopg.models.bases import BUNDLED
from thanopg.models.bundled import BUNDLED_DIRECTORY
from thanopg.models.hub import from_cache_or_network
from thanopg.models.quiet import quiet
from thanopg.models.stored import first_line
from thanopg.models.torchvision_shim import import_torchvision

import_torchvision()
import open_clip  # noqa: E402  (the line above makes it importable)

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pth")
LOCAL_DIR, HF_HUB = "local-dir:", "hf-hub:"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """An open_clip model as it was loaded; `name` is what its architecture is called."""

    name: str
    model: torch.nn.Module
    tokenizer: Any
    configuration: Mapping[str, Any]
    directory: Path | None = None
    """where it lies, for local-dir and bundled sources"""


def open_checkpoint(source: str) -> Checkpoint:
    """Canonical source → model in evaluation mode. Raises UnknownModel, ModelUnavailable."""
    if source == BUNDLED or source.startswith(LOCAL_DIR):
        directory = BUNDLED_DIRECTORY if source == BUNDLED else Path(source.removeprefix(LOCAL_DIR))
        _check_directory(directory, source)
        return replace(_load(source, f"{LOCAL_DIR}{directory}"), directory=directory)
    if source.startswith(HF_HUB):
        return _load(source, source)
    architecture, _, tag = source.partition("/")
    _check_names(architecture, tag)
    return _load(source, architecture, tag)


def _load(source: str, model_name: str, tag: str | None = None) -> Checkpoint:
    # open_clip 3 only warns when weights want QuickGELU and the configuration has GELU, as for ViT-B-32/openai
    quick_gelu = bool(tag and open_clip.get_pretrained_cfg(model_name, tag).get("quick_gelu"))

    def load() -> Checkpoint:
        model = open_clip.create_model(
            model_name, tag, force_quick_gelu=quick_gelu, require_pretrained=True, weights_only=True
        )
        configuration = copy.deepcopy(open_clip.get_model_config(model_name))
        if quick_gelu:
            configuration["quick_gelu"] = True
        return Checkpoint(
            name=model_name if tag else type(model).__name__,
            model=model.eval().requires_grad_(False),
            tokenizer=open_clip.get_tokenizer(model_name),
            configuration=configuration,
        )

    with quiet():
        try:
            return from_cache_or_network(load, source=source)
        except ModelUnavailable:
            raise
        except Exception as error:  # open_clip, torch, safetensors and transformers each raise their own
            raise ModelUnavailable(
                f"the model {source} could not be loaded: {first_line(error)}",
                hint="the files are damaged or do not belong together: fetch them again",
            ) from error


def _check_directory(directory: Path, source: str) -> None:
    hint = "expected open_clip_config.json, the weights and the tokenizer's files, as open_clip saves them"
    if not directory.is_dir():
        raise ModelUnavailable(f"no such directory: {directory}", hint=hint)
    file = directory / "open_clip_config.json"
    try:
        configuration = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ModelUnavailable(f"no open_clip_config.json in {directory}", hint=hint) from None
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{file} can't be read: {first_line(error)}", hint=hint) from error
    if not isinstance(configuration, dict) or "model_cfg" not in configuration:
        raise ModelUnavailable(f"no model_cfg in {file}", hint=hint)
    if not any(entry.suffix in WEIGHT_SUFFIXES for entry in directory.iterdir()):
        raise ModelUnavailable(f"no weights for {source}: no {', '.join(WEIGHT_SUFFIXES)} in {directory}", hint=hint)


def _check_names(architecture: str, tag: str) -> None:
    models = open_clip.list_models()
    if architecture not in models:
        near = difflib.get_close_matches(architecture, models, n=4, cutoff=0.4)
        raise UnknownModel(
            f"unknown architecture {architecture!r}",
            hint=f"did you mean {', '.join(near)}?"
            if near
            else "python -c 'import open_clip; print(open_clip.list_models())'",
        )
    if not open_clip.is_pretrained_cfg(architecture, tag):
        tags = open_clip.list_pretrained_tags_by_model(architecture)
        raise UnknownModel(
            f"unknown weights {tag!r} for {architecture}",
            hint=f"it has: {', '.join(tags)}" if tags else "no published weights; give local-dir:/path or hf-hub:…",
        )
