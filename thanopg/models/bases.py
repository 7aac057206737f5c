"""The model families people name, and how any text that names a model becomes one canonical source string.

A source is `architecture/weights-tag` (open_clip's names), `hf-hub:organisation/name` or `local-dir:/absolute/path` of
an open_clip model; `transformers:` of a captioner or `sentence-transformers:` of a text encoder, each with
`organisation/name`, `organisation/name@revision` or an absolute path; `bundled:catalog`; for tests `fake:dimensions`.
No torch here: whether weights exist is found out on loading.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from thanopg.errors import InvalidArgument, UnknownModel

BUNDLED = "bundled:catalog"
TRANSFORMERS, SENTENCE_TRANSFORMERS = "transformers:", "sentence-transformers:"
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", re.ASCII)
"""organisation/name as the hub has it, perhaps with a branch, a tag or a commit"""


@dataclass(frozen=True, kw_only=True)
class Base:
    """A model family under the short name that SQL and ThanoSQL use."""

    name: str
    source: str
    description: str
    languages: tuple[str, ...]
    """ISO 639-1 codes; ("*",) means about a hundred languages"""


def _by_name(*bases: Base) -> Mapping[str, Base]:
    return MappingProxyType({base.name: base for base in bases})


BASES: Mapping[str, Base] = _by_name(
    Base(
        name="clipen",
        source="ViT-B-32/openai",
        description="CLIP ViT-B/32 with OpenAI's weights, English, 512 dimensions; downloaded on first use",
        languages=("en",),
    ),
    Base(
        name="clip",
        source="ViT-B-32/openai",
        description="the same as clipen",
        languages=("en",),
    ),
    Base(
        name="siglip2",
        source="ViT-B-16-SigLIP2-256/webli",
        description="SigLIP 2 ViT-B/16 at 256 pixels, multilingual, 768 dimensions; downloaded on first use",
        languages=("*",),
    ),
    Base(
        name="catalog",
        source=BUNDLED,
        description="a small CLIP trained on drawn product pictures, part of this package, works offline",
        languages=("ko", "en"),
    ),
    Base(
        name="e5",
        source="sentence-transformers:intfloat/multilingual-e5-base",
        description="multilingual E5 base: texts, about a hundred languages, 768 dimensions; downloaded on first use",
        languages=("*",),
    ),
    Base(
        name="bge-m3",
        # its main branch has pickled weights only; this is the hub's own conversion of them
        source="sentence-transformers:BAAI/bge-m3@refs/pr/38",
        description="BGE-M3: long texts too, about a hundred languages, 1024 dimensions; downloaded on first use",
        languages=("*",),
    ),
    Base(
        name="florence2",
        source="transformers:florence-community/Florence-2-base",
        description="Florence-2 base: captions in English, short or detailed; downloaded on first use",
        languages=("en",),
    ),
    Base(
        name="blip",
        source="transformers:Salesforce/blip-image-captioning-base@refs/pr/38",  # as with bge-m3
        description="BLIP base: short captions in English; downloaded on first use",
        languages=("en",),
    ),
)


def resolve_source(text: str) -> str:
    """Base name or source → canonical source. Raises UnknownModel, InvalidArgument for a malformed one."""
    text = text.strip()
    base = BASES.get(text.lower())
    if base is not None:
        return base.source
    scheme, colon, rest = text.partition(":")
    if colon:
        return _with_scheme(scheme.lower(), rest, text)
    architecture, slash, tag = text.partition("/")
    if slash and architecture and tag and "/" not in tag:
        return f"{architecture}/{tag}"
    raise UnknownModel(f"unknown base or source {text!r}", hint=_hint_for(text))


def _with_scheme(scheme: str, rest: str, text: str) -> str:
    if scheme == "bundled":
        if rest != "catalog":
            raise UnknownModel(f"unknown bundled model {rest!r}", hint=f"the bundled model is {BUNDLED}")
    elif scheme == "fake":
        if not rest.isdecimal() or int(rest) > 16_000:
            raise InvalidArgument(f"expected fake: and 0 to 16000 dimensions, not {text!r}")
        rest = str(int(rest))
    elif scheme == "hf-hub":
        if rest.count("/") != 1 or not all(rest.split("/")):
            raise InvalidArgument(f"expected hf-hub:organisation/name, not {text!r}")
    elif scheme == "local-dir":
        if not PurePath(rest).is_absolute():
            raise InvalidArgument(
                f"expected local-dir: and an absolute path, not {text!r}",
                hint="the directory is read by service and worker, which may run elsewhere: /path/to/the/model",
            )
        rest = str(PurePath(rest))
    elif f"{scheme}:" in (TRANSFORMERS, SENTENCE_TRANSFORMERS):
        rest = _hub_name_or_path(rest, text)
    else:
        raise UnknownModel(f"unknown base or source {text!r}", hint=_hint_for(text))
    return f"{scheme}:{rest}"


def _hub_name_or_path(rest: str, text: str) -> str:
    if PurePath(rest).is_absolute():
        return str(PurePath(rest))
    if not HUB_NAME.fullmatch(rest):
        scheme = text.partition(":")[0].lower()
        raise InvalidArgument(
            f"expected {scheme}:organisation/name, {scheme}:organisation/name@revision or {scheme}: and an absolute "
            f"path, not {text!r}",
            hint="a directory is read by service and worker, which may run elsewhere: /path/to/the/model",
        )
    return rest


def _hint_for(text: str) -> str:
    forms = (
        "a source is architecture/weights, hf-hub:organisation/name or local-dir:/path; a captioner "
        "transformers:organisation/name, a text encoder sentence-transformers:organisation/name, or either with /path"
    )
    known = f"bases: {', '.join(BASES)}; {forms}"
    near = difflib.get_close_matches(text.lower(), BASES, n=1, cutoff=0.5)
    return f"did you mean {near[0]}? {known}" if near else known
