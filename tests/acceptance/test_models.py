"""Models are plain open_clip's: the same vectors, loaded from wherever they are, with errors a person can use."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from torch.nn import functional

from tests.pictures import jpeg, photograph
from tests.small_models import (
    BOTH_WAYS,
    CAPTIONER,
    CUSTOM_TEXT,
    PIXELS,
    SMALL,
    TEXT,
    Plain,
    save_model,
    save_tokenizer,
    write_configuration,
)
from thanopg.config import ImageLimits
from thanopg.errors import InvalidArgument, ModelUnavailable, ThanopgError, UnknownModel
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.bundled import read_bundled_info
from thanopg.models.checkpoint import open_checkpoint
from thanopg.models.describe import describe
from thanopg.models.embedder import Vectors
from thanopg.models.load import load_embedder
from thanopg.models.open_clip import load_open_clip
from thanopg.models.openvino_towers import compile_texts
from thanopg.models.text_tower import text_encoder
from thanopg.models.tokens import Tokenizer
from thanopg.models.torchvision_shim import import_torchvision

TEXTS = ["a red dress", "밝은 빨간색 미니 원피스", "", "x", "two winter boots, brown, on a light grey background " * 3]
BYTES = {**SMALL, "text_cfg": {**TEXT, "vocab_size": 300, "hf_tokenizer_name": "any"}}
"""with a tokenizer of transformers, whose end token is the highest id"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("small"), SMALL)


def noise(embedder: Any, count: int = 3) -> np.ndarray[Any, np.dtype[np.uint8]]:
    size = (count, embedder.preprocessing.height, embedder.preprocessing.width, 3)
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def plain_texts(source: str, texts: list[str]) -> Vectors:
    return Plain(source).texts(texts)


def failure(source: str) -> ThanopgError:
    with pytest.raises(ThanopgError) as caught:
        load_embedder(source, device="cpu")
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    "configuration", [SMALL, CUSTOM_TEXT, BOTH_WAYS, CAPTIONER], ids=["clip", "custom", "siglip", "coca"]
)
def test_text_vectors_are_plain_open_clips(configuration: dict[str, Any], tmp_path: Path) -> None:
    source = save_model(tmp_path, configuration)
    embedder = load_embedder(source, device="cpu")
    found = embedder.embed_texts(TEXTS).vectors
    assert found.dtype == np.float32
    assert found.shape == (len(TEXTS), 48)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found, plain_texts(source, TEXTS), atol=1e-5)
    assert embedder.info.can_caption == ("multimodal_cfg" in configuration)


def test_a_text_alone_has_the_vector_it_has_in_a_batch(small: str) -> None:
    embedder = load_embedder(small, device="cpu")
    together = embedder.embed_texts(TEXTS).vectors
    alone = np.concatenate([embedder.embed_texts([text]).vectors for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_tokenizer_of_transformers(tmp_path: Path) -> None:
    source = save_model(tmp_path, BYTES)
    save_tokenizer(tmp_path)
    found = load_embedder(source, device="cpu").embed_texts(["abc", "빨간", "y" * 22, "y" * 23, "y" * 50_000])
    np.testing.assert_allclose(found.vectors[:3], plain_texts(source, ["abc", "빨간", "y" * 22]), atol=1e-5)
    assert found.truncated == (False, False, False, True, True)


def test_texts_longer_than_the_context_are_told_of(small: str) -> None:
    fits = " ".join(["red"] * 22)  # and a start and an end make 24
    found = load_embedder(small, device="cpu").embed_texts(
        [fits, fits + " red", "red " * 100_000, "q" * 200_000, " " * 9_999]
    )
    assert found.truncated == (False, True, True, True, False)
    np.testing.assert_allclose(found.vectors[1], found.vectors[2], atol=1e-5)


def test_no_texts_and_no_images(small: str) -> None:
    embedder = load_embedder(small, device="cpu")
    assert embedder.embed_texts([]).vectors.shape == (0, 48)
    assert embedder.embed_images(noise(embedder)[:0]).shape == (0, 48)


def test_image_vectors_have_length_one_and_do_not_touch_their_pixels(small: str) -> None:
    embedder = load_embedder(small, device="cpu")
    pixels = noise(embedder)
    pixels.flags.writeable = False
    before = pixels.copy()
    vectors = embedder.embed_images(pixels)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (pixels == before).all()


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 32, 33, 3), (1, 3, 32, 32)])
def test_pixels_of_another_shape(small: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgument, match="expected uint8 pixels"):
        load_embedder(small, device="cpu").embed_images(np.zeros(shape, dtype=np.uint8))


def test_bfloat16_is_near_and_chosen_only_by_trial(small: str) -> None:
    exact, quick = (load_open_clip(small, device="cpu", precision=precision) for precision in ("auto", "bf16"))
    assert (exact.precision, quick.precision) == ("fp32", "bf16")  # a small model has no need
    pixels = noise(exact)
    assert (exact.embed_images(pixels) * quick.embed_images(pixels)).sum(axis=1).min() > 0.999
    with pytest.raises(InvalidArgument, match="precision"):
        load_embedder(small, device="cpu", precision="int4")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", "cpu:1"])
def test_devices_that_are_not_there(small: str, device: str) -> None:
    with pytest.raises(InvalidArgument, match="device"):
        load_embedder(small, device=device)


def test_fingerprint_is_of_content_not_of_files(small: str, tmp_path: Path) -> None:
    original = Path(small.removeprefix("local-dir:"))
    state = load_file(original / "open_clip_model.safetensors")
    wanted = describe(small).fingerprint
    copy = tmp_path / "elsewhere"
    shutil.copytree(original, copy)
    (copy / "open_clip_model.safetensors").unlink()
    torch.save(state, copy / "open_clip_pytorch_model.bin")
    assert describe(f"local-dir:{copy}").fingerprint == wanted
    assert len(wanted) == 64

    state["visual.proj"][0, 0] += 1e-3
    torch.save(state, copy / "open_clip_pytorch_model.bin")
    assert describe(f"local-dir:{copy}").fingerprint != wanted


@pytest.mark.parametrize(
    "change",
    [{"mean": [0.5, 0.5, 0.5]}, {"std": [1.0, 1.0, 1.0]}, {"interpolation": "bilinear"}, {"resize_mode": "squash"}],
)
def test_fingerprint_covers_preprocessing(small: str, tmp_path: Path, change: dict[str, Any]) -> None:
    copy = tmp_path / "model"
    shutil.copytree(small.removeprefix("local-dir:"), copy)
    write_configuration(copy, SMALL, PIXELS | change)
    assert describe(f"local-dir:{copy}").fingerprint != describe(small).fingerprint


def test_fingerprint_covers_the_architecture(small: str, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(small.removeprefix("local-dir:"), copy)
    write_configuration(copy, SMALL | {"quick_gelu": True}, PIXELS)
    assert describe(f"local-dir:{copy}").fingerprint != describe(small).fingerprint


def test_loading_is_silent(small: str, capfd: pytest.CaptureFixture[str]) -> None:
    load_embedder(small, device="cpu").embed_texts(["word " * 500])
    failure("local-dir:/no/such/directory")
    assert capfd.readouterr() == ("", "")


def test_describe_prints_json_in_a_fresh_process_where_torchvision_may_not_load(small: str) -> None:
    import_torchvision()  # loaded already: does nothing
    done = subprocess.run(
        [sys.executable, "-m", "thanopg.models.describe", small], capture_output=True, text=True, timeout=120
    )
    assert json.loads(done.stdout) == describe(small).as_json(), done.stderr


@pytest.mark.parametrize(
    ("source", "error", "message", "hint"),
    [
        ("ViT-B-23/openai", UnknownModel, "unknown architecture 'ViT-B-23'", "ViT-B-32"),
        ("ViT-B-32/openay", UnknownModel, "unknown weights 'openay' for ViT-B-32", "openai"),
        ("local-dir:/no/such/directory", ModelUnavailable, "no such directory", "open_clip_config.json"),
    ],
)
def test_names_that_do_not_exist(source: str, error: type[ThanopgError], message: str, hint: str) -> None:
    found = failure(source)
    assert type(found) is error
    assert message in found.message
    assert hint in found.hint


def test_directories_that_are_no_models(small: str, tmp_path: Path) -> None:
    source = f"local-dir:{tmp_path}"
    assert "no open_clip_config.json" in failure(source).message
    configuration = tmp_path / "open_clip_config.json"
    configuration.write_text("{")
    assert "can't be read" in failure(source).message
    configuration.write_text("{}")
    assert "no model_cfg" in failure(source).message
    write_configuration(tmp_path, SMALL, PIXELS)
    assert "no weights" in failure(source).message
    weights = tmp_path / "open_clip_model.safetensors"
    whole = Path(small.removeprefix("local-dir:"), weights.name).read_bytes()
    for damaged in (b"", whole[:100], whole[: len(whole) // 2]):
        weights.write_bytes(damaged)
        assert "could not be loaded" in failure(source).message
    save_file({"visual.proj": torch.zeros(3, 3)}, weights)
    assert "could not be loaded" in failure(source).message
    write_configuration(tmp_path, {"embed_dim": "many"}, PIXELS)
    assert "could not be loaded" in failure(source).message


def test_weights_that_are_nowhere_and_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as listener:  # a port that nobody answers on
        listener.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        for source in ("clipen", "siglip2", "hf-hub:some/body"):
            found = failure(source)
            assert isinstance(found, ModelUnavailable)
            assert "not in the local cache" in found.message
            assert "local-dir:" in found.hint


@pytest.fixture(scope="module")
def vit_b_32(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(tmp_path_factory.mktemp("vit-b-32"), "ViT-B-32", half=True)


@pytest.fixture(scope="module")
def plain_vit_b_32(vit_b_32: str) -> Plain:
    return Plain(vit_b_32)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for converted towers."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("engine", ["torch", "auto"])
def test_a_real_architecture_has_plain_open_clips_vectors(
    engine: str, vit_b_32: str, plain_vit_b_32: Plain, tmp_path: Path, cache: Path
) -> None:
    """In whatever precision `auto` chose on this machine; pictures go all the way from their files."""
    embedder = load_open_clip(vit_b_32, engine=engine)
    found = embedder.embed_texts(TEXTS).vectors
    assert (found * plain_vit_b_32.texts(TEXTS)).sum(axis=1).min() >= 0.9999
    files = [tmp_path / f"{seed}.jpg" for seed in range(4)]
    for seed, file in enumerate(files):
        file.write_bytes(jpeg(photograph(500, 333 + seed, seed=seed)))
    limits = ImageLimits()
    reader = ImageReader(tmp_path, limits)
    with DecodePool(2, limits) as pool:
        decoding = [pool.submit(reader.read(file.name).data, embedder.preprocessing) for file in files]
        pixels = np.stack([future.result() for future in decoding])
    stored = embedder.embed_images(pixels)
    assert (stored * plain_vit_b_32.files(files)).sum(axis=1).min() >= 0.9999


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_openvino_gives_the_same_vectors_and_keeps_what_it_converted(precision: str, small: str, cache: Path) -> None:
    exact = load_embedder(small, device="cpu")
    pixels = noise(exact, 5)
    for kept in (False, True):
        assert any(cache.rglob("images.xml")) == kept
        embedder = load_open_clip(small, device="cpu", precision=precision, engine="openvino")
        assert (embedder.engine, embedder.precision) == ("openvino", precision)
        for count in (5, 1):  # any number of pictures at a time
            found = embedder.embed_images(pixels[:count])
            assert (found * exact.embed_images(pixels[:count])).sum(axis=1).min() >= {"fp32": 0.999999, "bf16": 0.999}[
                precision
            ]


@pytest.mark.parametrize("configuration", [SMALL, CUSTOM_TEXT, BOTH_WAYS], ids=["clip", "custom", "siglip"])
def test_openvino_gives_texts_the_same_vectors(configuration: dict[str, Any], tmp_path: Path, cache: Path) -> None:
    """Any number of texts of any length, with trimmed rows and with whole ones."""
    checkpoint = open_checkpoint(save_model(tmp_path, configuration))
    tokenizer = Tokenizer(checkpoint.tokenizer)
    encoder = text_encoder(checkpoint.model, lambda texts: tokenizer(texts).ids)
    assert encoder.trims == (configuration is not BOTH_WAYS)
    for kept in (False, True):
        assert any(cache.rglob("texts.xml")) == kept
        compiled = compile_texts(encoder, tokenizer(TEXTS[:2]).ids, fingerprint="any")
        for texts in (TEXTS, TEXTS[:1], TEXTS[4:], ["x"] * 7):
            ids = tokenizer(texts).ids
            with torch.inference_mode():
                wanted = encoder(ids)
            assert functional.cosine_similarity(compiled(ids), wanted).min() >= 0.999999


def test_what_was_kept_of_a_converted_tower_may_be_damaged(small: str, cache: Path) -> None:
    load_open_clip(small, device="cpu", precision="fp32", engine="openvino")
    (kept,) = cache.rglob("images.xml")
    kept.write_text("<net")
    embedder = load_open_clip(small, device="cpu", precision="fp32", engine="openvino")
    pixels = noise(embedder)
    np.testing.assert_allclose(embedder.embed_images(pixels), load_embedder(small).embed_images(pixels), atol=1e-5)


def test_openvino_where_it_can_not_be(small: str) -> None:
    with pytest.raises(InvalidArgument, match="engine"):
        load_embedder(small, device="cpu", engine="tensorrt")


def test_openais_weights_get_their_activation(
    vit_b_32: str, plain_vit_b_32: Plain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """open_clip 3 gives ViT-B-32/openai GELU with a warning; those weights were trained with QuickGELU.

    The weights here are random, in the place where a download would have left them.
    """
    import open_clip

    repository = tmp_path / "models--timm--vit_base_patch32_clip_224.openai"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(snapshot.name)
    weights = Path(vit_b_32.removeprefix("local-dir:"), "open_clip_model.safetensors")
    (snapshot / weights.name).symlink_to(weights)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    clipen = load_open_clip("ViT-B-32/openai", device="cpu", precision="fp32")
    assert clipen.info.architecture == "ViT-B-32"
    for block in plain_vit_b_32.model.transformer.resblocks:
        block.mlp.gelu = open_clip.transformer.QuickGELU()
    np.testing.assert_allclose(clipen.embed_texts(TEXTS).vectors, plain_vit_b_32.texts(TEXTS), atol=1e-5)


def test_the_bundled_model_is_what_its_description_says() -> None:
    assert describe("catalog") == read_bundled_info()
