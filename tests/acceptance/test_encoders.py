"""Text encoders of sentence-transformers: its own vectors, prompts by role, and errors a person can use.

Their weights are random; files and loading are those of the published ones.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.missing_hub import no_network
from tests.small_encoders import CONTEXT, DIMENSIONS, TEXTS, save_encoder
from thanopg.errors import InvalidArgument, ModelUnavailable, NotSupported
from thanopg.models.embedder import Vectors
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder
from thanopg.models.sentence_loading import load_sentence_encoder

pytestmark = pytest.mark.usefixtures("one_thread")
LONG = "방수가 되는 겨울 부츠 " * 8
SOME = [*TEXTS, "", LONG, "unknown ✂ signs"]
PROMPTS = {"query": "passage: ", "document": "query: "}
"""of a model that says them itself, otherwise than E5 does"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_encoder(tmp_path_factory.mktemp("encoder") / "plain")


def directory_of(source: str) -> Path:
    return Path(source.removeprefix("sentence-transformers:"))


def copy_of(source: str, to: Path) -> Path:
    shutil.copytree(directory_of(source), to)
    return to


def fingerprint_of(directory: Path) -> str:
    return load_sentence_encoder(f"sentence-transformers:{directory}", device="cpu").info.fingerprint


def failure(directory: Path) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        load_embedder(f"sentence-transformers:{directory}", device="cpu")
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def change(file: Path, **members: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **members}), encoding="utf-8")


def by_hand(directory: Path, texts: list[str]) -> Vectors:
    """Mean of the last layer over a text's tokens, of length 1."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(directory)
    model: Any = AutoModel.from_pretrained(directory).eval()
    rows = []
    for text in texts:
        tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=CONTEXT)
        with torch.inference_mode():
            rows.append(model(**tokens).last_hidden_state[0].mean(dim=0).numpy())
    return np.stack([row / np.linalg.norm(row) for row in rows])


def test_vectors_are_what_the_files_say(plain: str) -> None:
    encoder = load_embedder(plain, device="cpu")
    assert encoder.info.dimensions == DIMENSIONS
    assert encoder.info.architecture == "XLMRobertaModel"
    assert (encoder.info.can_embed_texts, encoder.info.can_embed_images, encoder.info.can_caption) == (
        True,
        False,
        False,
    )
    found = encoder.embed_texts(SOME).vectors
    assert found.dtype == np.float32 and found.shape == (len(SOME), DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found, by_hand(directory_of(plain), SOME), atol=1e-5)
    assert encoder.embed_texts([]).vectors.shape == (0, DIMENSIONS)


def test_a_text_alone_has_the_vector_it_has_in_a_batch(plain: str) -> None:
    encoder = load_embedder(plain, device="cpu")
    many = SOME * 8  # more than one pass
    together = encoder.embed_passages(many).vectors
    alone = np.concatenate([encoder.embed_passages([text]).vectors for text in SOME])
    np.testing.assert_allclose(together, np.tile(alone, (8, 1)), atol=1e-5)


def test_texts_longer_than_the_context_are_told_of(plain: str) -> None:
    encoder = load_embedder(plain, device="cpu")
    assert encoder.info.context_length == CONTEXT
    found = encoder.embed_texts(["✂ " * 11, "✂ " * 12, LONG, LONG * 1000, "", " " * 9_999])
    assert found.truncated == (False, True, True, True, False, True)
    np.testing.assert_allclose(found.vectors[2], found.vectors[3], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "prompts", "trained_from", "query", "passage"),
    [
        ("mine", None, "", "", ""),
        ("multilingual-e5-small", None, "", "query: ", "passage: "),
        ("mine", None, "intfloat/multilingual-e5-base", "query: ", "passage: "),
        ("e5", PROMPTS, "", "passage: ", "query: "),
    ],
    ids=["none", "by name", "by origin", "configured"],
)
def test_queries_and_passages_have_their_prompts(
    tmp_path: Path, name: str, prompts: dict[str, str] | None, trained_from: str, query: str, passage: str
) -> None:
    source = save_encoder(tmp_path / name, prompts=prompts, trained_from=trained_from)
    encoder = load_embedder(source, device="cpu")
    texts = ["빨간색 원피스", "brown boots"]
    directory = directory_of(source)
    for found, prompt in ((encoder.embed_texts(texts), query), (encoder.embed_passages(texts), passage)):
        np.testing.assert_allclose(found.vectors, by_hand(directory, [prompt + text for text in texts]), atol=1e-5)


def test_a_prompt_takes_its_share_of_the_context(tmp_path: Path) -> None:
    bare, prompted = (load_embedder(save_encoder(tmp_path / name), device="cpu") for name in ("mine", "e5"))
    text = "✂ " * 11
    assert (bare.embed_texts([text]).truncated, prompted.embed_texts([text]).truncated) == ((False,), (True,))


def test_fingerprint_is_of_weights_pooling_and_prompts(plain: str, tmp_path: Path) -> None:
    wanted = fingerprint_of(directory_of(plain))
    same = copy_of(plain, tmp_path / "same")
    change(same / "config.json", transformers_version="9.9", _name_or_path="elsewhere")
    assert fingerprint_of(same) == wanted
    changed = copy_of(plain, tmp_path / "changed")
    state = load_file(changed / "model.safetensors")
    state["embeddings.word_embeddings.weight"][0, 0] += 1e-3
    save_file(state, changed / "model.safetensors", metadata={"format": "pt"})
    pooled = copy_of(plain, tmp_path / "pooled")
    change(pooled / "1_Pooling" / "config.json", pooling_mode="cls")
    prompted = copy_of(plain, tmp_path / "prompted")
    change(prompted / "config_sentence_transformers.json", prompts=PROMPTS)
    named = copy_of(plain, tmp_path / "e5")
    assert len({wanted, *map(fingerprint_of, (changed, pooled, prompted, named))}) == 5


def test_bfloat16_is_near_and_chosen_only_by_trial(plain: str) -> None:
    exact, quick = (load_sentence_encoder(plain, device="cpu", precision=precision) for precision in ("auto", "bf16"))
    assert (exact.precision, quick.precision) == ("fp32", "bf16")
    near = exact.embed_texts(SOME).vectors * quick.embed_texts(SOME).vectors
    assert near.sum(axis=1).min() > 0.99
    with pytest.raises(InvalidArgument, match="precision"):
        load_embedder(plain, device="cpu", precision="int4")
    with pytest.raises(InvalidArgument, match="device"):
        load_embedder(plain, device="gpu")


def test_it_takes_no_pictures_and_writes_no_captions(plain: str) -> None:
    model = ModelLibrary(device="cpu").get(plain)
    pixels = np.zeros((1, 1, 1, 3), dtype=np.uint8)
    with pytest.raises(NotSupported, match="embeds no pictures") as caught:
        model.embed_images(pixels)
    assert "siglip2" in caught.value.hint
    with pytest.raises(NotSupported, match="writes no captions"):
        model.caption_images(pixels, language="ko")


def test_loading_and_embedding_are_silent(plain: str, capfd: pytest.CaptureFixture[str]) -> None:
    load_embedder(plain, device="cpu").embed_texts([LONG])
    failure(Path("/no/such/directory"))
    assert capfd.readouterr() == ("", "")


def remove(*names: str) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        for name in names:
            (directory / name).unlink()

    return damage


def pickled(directory: Path) -> None:
    torch.save(load_file(directory / "model.safetensors"), directory / "pytorch_model.bin")
    (directory / "model.safetensors").unlink()


def cut_off(directory: Path) -> None:
    file = directory / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])


def modules(*each: dict[str, Any]) -> Callable[[Path], None]:
    return lambda directory: [(directory / "modules.json").write_text(json.dumps(each)), None][1]


TRANSFORMER = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}
POOLING = {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}


@pytest.mark.parametrize(
    ("damage", "message", "hint"),
    [
        (remove("modules.json"), "no modules.json", "bge-m3"),
        (
            lambda each: change(each / "config_sentence_transformers.json", model_type="CrossEncoder"),
            "CrossEncoder",
            "e5",
        ),
        (pickled, "no safetensors files", "refs/pr"),
        (cut_off, "could not be loaded", "fetch them again"),
        (remove("config.json"), "could not be loaded", "fetch them again"),
        (remove("tokenizer.json"), "no tokenizer", "tokenizer.json"),
        (lambda each: (each / "config.json").write_text("{"), "can't be read", "save_pretrained"),
        (lambda each: (each / "modules.json").write_text('{"0": 1}'), "no array of objects", "save_pretrained"),
        (modules(), "names no modules", "fetch them again"),
        (modules(TRANSFORMER, {**POOLING, "path": "../1_Pooling"}), "outside", "fetch them again"),
        (modules(TRANSFORMER), "can't embed", "modules.json"),
        (modules(TRANSFORMER, {**POOLING, "type": "os.path"}), "could not be loaded", "fetch them again"),
        (modules(TRANSFORMER, {**POOLING, "type": "own.Pooling"}), "could not be loaded", "fetch them again"),
    ],
)
def test_directories_that_are_no_encoders(
    plain: str, tmp_path: Path, damage: Callable[[Path], object], message: str, hint: str
) -> None:
    directory = copy_of(plain, tmp_path / "model")
    (directory / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    damage(directory)
    found = failure(directory)
    assert message in found.message
    assert hint in found.hint
    assert not (tmp_path / "ran").exists()


def test_without_the_package_it_says_how_to_install_it(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    found = failure(directory_of(plain))
    assert "needs the package sentence-transformers" in found.message
    assert "pip install 'thanopg[text]'" in found.hint


def test_a_hub_name_without_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with no_network(monkeypatch, tmp_path):
        for source in ("e5", "bge-m3", "sentence-transformers:some/body@v1"):
            with pytest.raises(ModelUnavailable, match="not in the local cache") as caught:
                load_embedder(source, device="cpu")
            assert "\n" not in caught.value.message
            assert "sentence-transformers:/path" in caught.value.hint
