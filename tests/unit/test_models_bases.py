"""Every text that names a model becomes one source, or an error that says what would have been right."""

from __future__ import annotations

import subprocess
import sys

import pytest

from thanopg.errors import InvalidArgument, ThanopgError, UnknownModel
from thanopg.models.bases import BASES, resolve_source


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("clipen", "ViT-B-32/openai"),
        ("CLIP", "ViT-B-32/openai"),
        (" siglip2 ", "ViT-B-16-SigLIP2-256/webli"),
        ("catalog", "bundled:catalog"),
        ("ViT-L-14/datacomp_xl_s13b_b90k", "ViT-L-14/datacomp_xl_s13b_b90k"),
        ("hf-hub:org/name", "hf-hub:org/name"),
        ("local-dir:/models/mine/", "local-dir:/models/mine"),
        ("local-dir:/models/with:colon", "local-dir:/models/with:colon"),
        ("fake:064", "fake:64"),
    ],
)
def test_sources(text: str, source: str) -> None:
    assert resolve_source(text) == source
    assert resolve_source(source) == source


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("clipn", UnknownModel, "did you mean clipen?"),
        ("ViT-B-32", UnknownModel, "architecture/weights"),
        ("", UnknownModel, "bases: clipen, clip, siglip2, catalog"),
        ("a/b/c", UnknownModel, "architecture/weights"),
        ("/models/mine", UnknownModel, "local-dir:/path"),
        ("http://host/model", UnknownModel, "local-dir:/path"),
        ("bundled:other", UnknownModel, "bundled:catalog"),
        ("local-dir:models", InvalidArgument, "/path/to/the/model"),
        ("hf-hub:name", InvalidArgument, "organisation/name"),
        ("fake:16001", InvalidArgument, "0 to 16000"),
        ("fake:many", InvalidArgument, "0 to 16000"),
    ],
)
def test_what_is_no_source(text: str, error: type[ThanopgError], words: str) -> None:
    with pytest.raises(error) as caught:
        resolve_source(text)
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_every_base_has_a_source_that_resolves() -> None:
    for name, base in BASES.items():
        assert base.name == name
        assert resolve_source(base.source) == base.source


def test_naming_and_faking_models_needs_no_torch() -> None:
    script = """if True:
        import sys
        import thanopg.images.pool, thanopg.models.library
        from thanopg.models.load import load_embedder
        load_embedder("fake:8").embed_texts(["x"])
        print([name for name in ("torch", "open_clip", "transformers", "psycopg") if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
