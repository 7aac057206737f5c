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
        ("e5", "sentence-transformers:intfloat/multilingual-e5-base"),
        ("Florence2", "transformers:florence-community/Florence-2-base"),
        ("transformers:org/name.v1", "transformers:org/name.v1"),
        ("Transformers:org/name@refs/pr/38", "transformers:org/name@refs/pr/38"),
        ("transformers:/models/모델/", "transformers:/models/모델"),
        ("sentence-transformers:org/name@main", "sentence-transformers:org/name@main"),
        ("sentence-transformers:/models/mine", "sentence-transformers:/models/mine"),
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
        ("e6", UnknownModel, "did you mean e5?"),
        ("bge", UnknownModel, "did you mean bge-m3?"),
        ("florence-2", UnknownModel, "did you mean florence2?"),
        ("org/name:x", UnknownModel, "transformers:organisation/name"),
        ("transformers:name", InvalidArgument, "transformers:organisation/name"),
        ("transformers:models/of/mine", InvalidArgument, "/path/to/the/model"),
        ("transformers:org/name@", InvalidArgument, "organisation/name@revision"),
        ("transformers:", InvalidArgument, "organisation/name"),
        ("sentence-transformers:org/모델", InvalidArgument, "sentence-transformers:organisation/name"),
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
