"""From a source to a text encoder of sentence-transformers: safetensors only, no code of the model's own."""

from __future__ import annotations

import logging
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from thanopg.errors import ModelUnavailable
from thanopg.models.bases import SENTENCE_TRANSFORMERS
from thanopg.models.device import choose_device
from thanopg.models.fingerprint import fingerprint
from thanopg.models.quiet import no_bars, quiet
from thanopg.models.sentence_encoder import SentenceEncoder
from thanopg.models.snapshot import find_directory
from thanopg.models.stored import (
    SAFETENSORS_HINT,
    StoredTensors,
    check_tokenizer,
    first_line,
    plain_configuration,
    read_json,
    read_list,
    weight_files,
)
from thanopg.models.text_prompts import text_prompts
from thanopg.models.torchvision_shim import import_torchvision

PICKLED = ("*.bin", "*.pt", "*.pth")
SETTINGS = ("config.json", "sentence_bert_config.json")
KIND = "SentenceTransformer"
LONGEST = 1_000_000
"""tokens; a tokenizer without a limit says a number beyond"""
DAMAGED_HINT = "the files are damaged or do not belong together: fetch them again"
KIND_HINT = "multilingual E5, BGE-M3 and EmbeddingGemma are text encoders; the bases e5 and bge-m3 are two of them"


class Module(NamedTuple):
    """One of the steps from a text to a vector, as modules.json names them."""

    kind: str
    path: str
    settings: dict[str, Any]
    weights: tuple[Path, ...]


def load_sentence_encoder(source: str, *, device: str | None = None, precision: str = "auto") -> SentenceEncoder:
    """Canonical source → encoder. Raises InvalidArgument, ModelUnavailable."""
    chosen = choose_device(device)
    place = source.removeprefix(SENTENCE_TRANSFORMERS)
    directory = find_directory(place, source)
    modules = _modules(directory, source)
    model = _load(directory, source, str(chosen))
    dimensions, limit = int(model.get_embedding_dimension() or 0), _context_length(model)
    names = [PurePath(place).name if place.startswith("/") else place]
    names += [
        str(read["_name_or_path"]) for each in modules for read in each.settings.values() if "_name_or_path" in read
    ]
    prompts = text_prompts(model.prompts, model.default_prompt_name, *names)
    geometry = fingerprint(
        architecture={each.path: {"kind": each.kind, **plain_configuration(each.settings)} for each in modules},
        preprocessing={**prompts._asdict(), "tokens": limit},
        dimensions=dimensions,
        state=StoredTensors({f"{each.path}/": each.weights for each in modules}),
    )
    return SentenceEncoder(
        model,
        prompts,
        source=source,
        fingerprint=geometry,
        dimensions=dimensions,
        context_length=limit,
        precision=precision,
    )


def _modules(directory: Path, source: str) -> list[Module]:
    if not (directory / "modules.json").is_file():
        raise ModelUnavailable(f"{source} is no text encoder: no modules.json in {directory}", hint=KIND_HINT)
    about = directory / "config_sentence_transformers.json"
    kind = read_json(about).get("model_type", KIND) if about.is_file() else KIND
    if kind != KIND:
        raise ModelUnavailable(f"{source} is no text encoder: it is a {kind}", hint=KIND_HINT)
    found = [
        _module(directory, str(each.get("type")), str(each.get("path", "")))
        for each in read_list(directory / "modules.json")
    ]
    if not found:
        raise ModelUnavailable(f"{directory / 'modules.json'} names no modules", hint=DAMAGED_HINT)
    return found


def _module(directory: Path, kind: str, path: str) -> Module:
    place = directory / path
    if PurePath(path).is_absolute() or ".." in PurePath(path).parts:
        raise ModelUnavailable(f"the module {path!r} is outside {directory}", hint=DAMAGED_HINT)
    settings = {name: read_json(place / name) for name in SETTINGS if (place / name).is_file()}
    weights: tuple[Path, ...] = ()
    if any(place.glob("*.safetensors")):
        weights = weight_files(place)
    elif any(file for pattern in PICKLED for file in place.glob(pattern)) or "model_type" in settings.get(
        "config.json", {}
    ):
        raise ModelUnavailable(f"no safetensors files in {place}", hint=SAFETENSORS_HINT)
    if "model_type" in settings.get("config.json", {}):
        check_tokenizer(place)
    return Module(kind.rpartition(".")[2], path, settings, weights)


def _load(directory: Path, source: str, device: str) -> Any:
    import_torchvision()
    try:
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError as error:
        raise ModelUnavailable(
            f"{source} needs the package sentence-transformers", hint="pip install 'thanopg[text]'"
        ) from error
    with quiet(), no_bars():
        try:
            model = SentenceTransformer(
                str(directory),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": "float32"},
            )
        except Exception as error:  # sentence-transformers and those under it each raise their own
            raise ModelUnavailable(
                f"the text encoder {source} could not be loaded: {first_line(error)}", hint=DAMAGED_HINT
            ) from error
    logging.getLogger("transformers").setLevel(logging.ERROR)  # its advice on every call is not for our callers
    return model.eval().requires_grad_(False)


def _context_length(model: Any) -> int:
    """What its tokenizer cuts at, else what its positions allow."""
    found = model.max_seq_length
    if not isinstance(found, int) or not 0 < found <= LONGEST:
        found = getattr(model.config, "max_position_embeddings", None)
    return found if isinstance(found, int) and found > 0 else LONGEST
