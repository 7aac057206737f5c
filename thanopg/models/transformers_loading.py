"""From a source to a captioner of transformers: safetensors only, and no code of the model's own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from thanopg.errors import ModelUnavailable
from thanopg.models.bases import TRANSFORMERS
from thanopg.models.device import choose_device, has_bfloat16
from thanopg.models.fingerprint import fingerprint
from thanopg.models.picture_size import picture_size, pixel_geometry
from thanopg.models.precision import check_precision
from thanopg.models.quiet import no_bars, quiet
from thanopg.models.snapshot import find_directory
from thanopg.models.stored import (
    StoredTensors,
    check_tokenizer,
    first_line,
    plain_configuration,
    read_json,
    weight_files,
)
from thanopg.models.torchvision_shim import import_torchvision
from thanopg.models.transformers_captioner import KIND_HINT, TransformersCaptioner

DAMAGED_HINT = "the files are damaged, do not belong together, or are not in transformers' own format: fetch them again"


def load_transformers(source: str, *, device: str | None = None, precision: str = "auto") -> TransformersCaptioner:
    """Canonical source → captioner. Raises InvalidArgument, ModelUnavailable.

    `precision`: auto takes bfloat16 on an accelerator that has it.
    """
    chosen = choose_device(device)
    check_precision(precision)
    directory = find_directory(source.removeprefix(TRANSFORMERS), source)
    configuration = read_json(directory / "config.json")
    model_type = str(configuration.get("model_type"))
    files = weight_files(directory)
    check_tokenizer(directory)
    model, processor = _load(directory, source, model_type)
    geometry = fingerprint(
        architecture=plain_configuration(configuration),
        preprocessing=pixel_geometry(processor.image_processor, picture_size(processor.image_processor).preprocessing),
        dimensions=0,
        state=StoredTensors({"": files}),
    )
    lower = precision == "bf16" or (precision == "auto" and chosen.type != "cpu" and has_bfloat16(chosen))
    model.to(chosen, torch.bfloat16 if lower else torch.float32)
    return TransformersCaptioner(model, processor, source=source, fingerprint=geometry, model_type=model_type)


def _load(directory: Path, source: str, model_type: str) -> tuple[Any, Any]:
    import_torchvision()
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    if model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise ModelUnavailable(f"{source} is no captioner: it is of the type {model_type!r}", hint=KIND_HINT)
    processors: Any = transformers.AutoProcessor
    models: Any = transformers.AutoModelForImageTextToText
    only_files = {"local_files_only": True, "trust_remote_code": False}
    with quiet(), no_bars():
        try:
            processor = processors.from_pretrained(directory, **only_files)
            model, found = models.from_pretrained(
                directory, use_safetensors=True, dtype="auto", output_loading_info=True, **only_files
            )
        except Exception as error:  # transformers, tokenizers and safetensors each raise their own
            raise ModelUnavailable(
                f"the captioner {source} could not be loaded: {first_line(error)}", hint=DAMAGED_HINT
            ) from error
    logging.getLogger("transformers").setLevel(logging.ERROR)  # its advice on every call is not for our callers
    lost = sorted(set(found["missing_keys"]).intersection(name for name, _ in model.named_parameters()))
    if lost:  # transformers would go on with random numbers
        raise ModelUnavailable(f"the weights of {source} lack {len(lost)} tensors, {lost[0]} first", hint=DAMAGED_HINT)
    _write_plainly(model, processor.tokenizer)
    return model.eval().requires_grad_(False), processor


def _write_plainly(model: Any, tokenizer: Any) -> None:
    """Takes back what a model's own settings say of chance, which is not for captions that are compared."""
    settings = model.generation_config
    settings.do_sample, settings.num_beams, settings.early_stopping = False, 1, False
    settings.temperature = settings.top_p = settings.top_k = settings.min_p = settings.max_length = None
    if settings.pad_token_id is None:
        settings.pad_token_id = tokenizer.pad_token_id
