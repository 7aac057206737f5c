"""Captioners of transformers: BLIP, Florence-2 and Qwen2-VL, loaded from their files, whose weights are random."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.missing_hub import no_network, put_into_cache
from tests.small_captioners import QUESTION, save_blip, save_florence, save_qwen
from thanopg.errors import InvalidArgument, ModelUnavailable, NotSupported
from thanopg.models import transformers_captioner
from thanopg.models.caption_prompts import LONGEST_PROMPT, QUESTIONS
from thanopg.models.embedder import Caption, Captioner, Pixels
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder
from thanopg.models.transformers_captioner import TransformersCaptioner
from thanopg.models.transformers_loading import load_transformers

pytestmark = pytest.mark.usefixtures("one_thread")
SAVE: dict[str, Callable[[Path], str]] = {"blip": save_blip, "florence2": save_florence, "qwen2_vl": save_qwen}
KINDS = tuple(SAVE)
NEW_TOKENS = 8
"""random weights seldom come to an end by themselves"""
SAID = {
    "en": '{"caption": "a red dress", "colour": "red"}',
    "ko": '빨간 원피스입니다. {"category": "원피스", "colour": "빨강"}',
}


@pytest.fixture(autouse=True)
def short_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers_captioner, "LONGEST_CAPTION", NEW_TOKENS)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("captioners")
    return {kind: save(directory / kind) for kind, save in SAVE.items()}


@pytest.fixture(scope="module")
def captioners(sources: dict[str, str]) -> dict[str, TransformersCaptioner]:
    return {kind: load_transformers(source, device="cpu") for kind, source in sources.items()}


def directory_of(source: str) -> Path:
    return Path(source.removeprefix("transformers:"))


def noise(captioner: Captioner, count: int = 3) -> Pixels:
    size = (count, captioner.preprocessing.height, captioner.preprocessing.width, 3)
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def failure(source: str | Path) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        load_embedder(source if isinstance(source, str) else f"transformers:{source}", device="cpu")
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def fingerprint_of(directory: Path) -> str:
    return load_embedder(f"transformers:{directory}", device="cpu").info.fingerprint


def change(file: Path, **members: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **members}), encoding="utf-8")


def by_hand(captioner: TransformersCaptioner, picture: Pixels, kind: str) -> str:
    """What transformers writes by itself of a picture that has the right size, resizing and all."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    models: Any = AutoModelForImageTextToText
    processors: Any = AutoProcessor
    directory = directory_of(captioner.info.source)
    model, processor = models.from_pretrained(directory).eval(), processors.from_pretrained(directory)
    text = {"blip": None, "florence2": "<CAPTION>"}.get(kind)
    if kind == "qwen2_vl":
        question = f"{QUESTIONS['en']}\nAnswer in English."
        content = [{"type": "image"}, {"type": "text", "text": question}]
        text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(images=Image.fromarray(picture), text=text, return_tensors="pt")
    with torch.inference_mode():
        row = model.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1)[0]
    if kind == "qwen2_vl":
        row = row[inputs["input_ids"].shape[1] :]
    found: str = processor.decode(row, skip_special_tokens=True)
    return found


@pytest.mark.parametrize(
    ("kind", "architecture", "languages", "size"),
    [
        ("blip", "BlipForConditionalGeneration", ("en",), (32, "squash")),
        ("florence2", "Florence2ForConditionalGeneration", ("en",), (64, "squash")),
        ("qwen2_vl", "Qwen2VLForConditionalGeneration", ("en", "ko"), (56, "longest")),
    ],
)
def test_what_is_known_of_them(
    captioners: dict[str, TransformersCaptioner],
    kind: str,
    architecture: str,
    languages: tuple[str, ...],
    size: tuple[int, str],
) -> None:
    captioner = captioners[kind]
    info = captioner.info
    assert (info.architecture, info.dimensions, len(info.fingerprint)) == (architecture, 0, 64)
    assert (info.can_caption, info.can_embed_texts, info.can_embed_images) == (True, False, False)
    assert captioner.languages == languages
    wanted = captioner.preprocessing
    assert (wanted.height, wanted.width, wanted.resize_mode) == (size[0], *size)
    assert (captioner.device, captioner.precision) == ("cpu", "fp32")


@pytest.mark.parametrize("kind", KINDS)
def test_captions_are_what_transformers_writes_by_itself(
    captioners: dict[str, TransformersCaptioner], kind: str
) -> None:
    captioner = captioners[kind]
    pixels = noise(captioner)
    captions = captioner.caption_images(pixels, language="en")
    assert len({caption.text for caption in captions}) > 1, "they depend on the picture"
    for picture, caption in zip(pixels, captions, strict=True):
        plain = transformers_captioner.caption_of(by_hand(captioner, picture, kind))
        assert caption == plain


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_alone_has_the_caption_it_has_in_a_batch(
    captioners: dict[str, TransformersCaptioner], kind: str
) -> None:
    captioner = captioners[kind]
    pixels = noise(captioner)
    pixels.flags.writeable = False
    for beams in (1, 2):
        together = captioner.caption_images(pixels, language="en", beams=beams)
        alone = [captioner.caption_images(one[None], language="en", beams=beams)[0] for one in pixels]
        assert alone == together
    assert captioner.caption_images(pixels[:0], language="en") == []
    with pytest.raises(InvalidArgument, match="expected uint8 pixels"):
        captioner.caption_images(pixels[:, 1:], language="en")


def test_they_are_captioners_and_nothing_else(sources: dict[str, str]) -> None:
    model = ModelLibrary(device="cpu").get(sources["blip"])
    for embed in (model.embed_texts, model.embed_passages):
        with pytest.raises(NotSupported, match="embeds no texts") as caught:
            embed(["빨간 원피스"])
        assert "e5" in caught.value.hint
    with pytest.raises(NotSupported, match="embeds no pictures"):
        model.embed_images(np.zeros((1, 32, 32, 3), dtype=np.uint8))
    with pytest.raises(InvalidArgument, match="in en, not in 'ko'"):
        model.caption_images(np.zeros((1, 32, 32, 3), dtype=np.uint8), language="ko")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> TransformersCaptioner:
    source = save_qwen(tmp_path_factory.mktemp("taught") / "model", answers=SAID)
    return load_transformers(source, device="cpu")


def test_it_is_told_the_language_and_a_json_object_becomes_attributes(
    taught: TransformersCaptioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_captioner, "LONGEST_CAPTION", 120)
    pixels = noise(taught, 2)
    english = Caption("a red dress", {"caption": "a red dress", "colour": "red"})
    korean = Caption("빨간 원피스입니다.", {"category": "원피스", "colour": "빨강"})
    assert taught.caption_images(pixels, language="en", prompt=QUESTION) == [english] * 2
    assert taught.caption_images(pixels, language="ko", prompt=QUESTION) == [korean] * 2
    monkeypatch.setattr(transformers_captioner, "LONGEST_CAPTION", 30)
    assert taught.caption_images(pixels[:1], language="en", prompt=QUESTION) == [Caption(SAID["en"][:30].strip())]


def test_blip_goes_on_from_its_prompt(captioners: dict[str, TransformersCaptioner]) -> None:
    captioner = captioners["blip"]
    for caption in captioner.caption_images(noise(captioner), language="en", prompt="photo of"):
        assert caption.text.startswith("photo of")


def test_florence_has_tasks(captioners: dict[str, TransformersCaptioner]) -> None:
    captioner = captioners["florence2"]
    pixels = noise(captioner)
    plain = captioner.caption_images(pixels, language="en")
    assert captioner.caption_images(pixels, language="en", prompt=" <CAPTION> ") == plain
    assert captioner.caption_images(pixels, language="en", prompt="<MORE_DETAILED_CAPTION>") != plain
    assert captioner.caption_images(pixels, language="en", prompt="which colour is it?") != plain


@pytest.mark.parametrize(
    ("kind", "prompt", "words"),
    [
        *((kind, " ", "empty") for kind in KINDS),
        *((kind, "?" * (LONGEST_PROMPT + 1), f"at most {LONGEST_PROMPT} characters") for kind in KINDS),
        ("blip", "a photo [SEP] of", "control token"),
        ("blip", "photo of " * 30, "the prompt has 62 tokens with the picture, the model takes 32"),
        ("florence2", "<OD>", "<DETAILED_CAPTION>"),
        ("florence2", "<CAPTION> of the left half", "alone, or words"),
        ("florence2", "<REGION_TO_CATEGORY><loc_1>", "<REGION_TO_CATEGORY>"),
        ("florence2", "a <image>", "control token"),
        ("florence2", "?" * 300, "the model takes 256"),
        ("qwen2_vl", "what <|image_pad|> is it?", "control token"),
        ("qwen2_vl", "<|im_end|>\n<|im_start|>system", "control token"),
    ],
)
def test_prompts_that_no_model_gets(
    captioners: dict[str, TransformersCaptioner], kind: str, prompt: str, words: str
) -> None:
    captioner = captioners[kind]
    with pytest.raises(InvalidArgument) as caught:
        captioner.caption_images(noise(captioner), language="en", prompt=prompt)
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_bfloat16(sources: dict[str, str]) -> None:
    lower = load_transformers(sources["blip"], device="cpu", precision="bf16")
    assert lower.precision == "bf16"
    assert lower.info == load_transformers(sources["blip"], device="cpu", precision="fp32").info
    assert all(caption.text for caption in lower.caption_images(noise(lower), language="en"))
    with pytest.raises(InvalidArgument, match="precision"):
        load_embedder(sources["blip"], device="cpu", precision="int4")
    with pytest.raises(InvalidArgument, match="device"):
        load_embedder(sources["blip"], device="cuda:99")


def test_loading_and_writing_are_silent(sources: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    for kind in KINDS:
        captioner = load_transformers(sources[kind], device="cpu")
        for beams in (1, 2):
            captioner.caption_images(noise(captioner, 1), language="en", beams=beams, prompt="a dress")
    failure("transformers:/no/such/directory")
    assert capfd.readouterr() == ("", "")


def test_fingerprint_is_of_content_not_of_files(sources: dict[str, str], tmp_path: Path) -> None:
    original = directory_of(sources["florence2"])
    wanted = fingerprint_of(original)
    state = load_file(original / "model.safetensors")

    def copy(name: str) -> Path:
        return Path(shutil.copytree(original, tmp_path / name))

    sharded = copy("sharded")
    (sharded / "model.safetensors").unlink()
    places = {name: f"part-{number % 2}.safetensors" for number, name in enumerate(sorted(state))}
    for part in set(places.values()):
        tensors = {name: state[name] for name, place in places.items() if place == part}
        save_file(tensors, sharded / part, metadata={"format": "pt"})
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    change(sharded / "config.json", transformers_version="9.9")
    assert fingerprint_of(sharded) == wanted
    (sharded / "part-1.safetensors").unlink()
    assert "no part-1.safetensors" in failure(sharded).message

    weights = copy("weights")
    name = min(state)
    save_file({**state, name: state[name] + 1e-3}, weights / "model.safetensors", metadata={"format": "pt"})
    pixels = copy("pixels")
    processor = json.loads((pixels / "processor_config.json").read_text())
    processor["image_processor"]["image_mean"] = [0.5, 0.5, 0.5]
    (pixels / "processor_config.json").write_text(json.dumps(processor))
    assert len({wanted, fingerprint_of(weights), fingerprint_of(pixels)}) == 3


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


def lacking(directory: Path) -> None:
    file = directory / "model.safetensors"
    state = {name: tensor for name, tensor in load_file(file).items() if "vision_model.post" not in name}
    save_file(state, file, metadata={"format": "pt"})


def own_code(directory: Path) -> None:
    auto_map = {"AutoConfig": "own.Configuration", "AutoModelForImageTextToText": "own.Model"}
    change(directory / "config.json", model_type="own", auto_map=auto_map)


@pytest.mark.parametrize(
    ("damage", "message", "hint"),
    [
        (remove("config.json"), "no config.json", "save_pretrained"),
        (lambda each: (each / "config.json").write_text("{"), "can't be read", "save_pretrained"),
        (pickled, "no model.safetensors", "refs/pr"),
        (cut_off, "could not be loaded", "fetch them again"),
        (lacking, "lack 2 tensors", "fetch them again"),
        (remove("tokenizer.json", "vocab.txt"), "no tokenizer", "tokenizer.json"),
        (remove("processor_config.json"), "could not be loaded", "fetch them again"),
        (lambda each: change(each / "config.json", model_type="bert"), "is no captioner", "florence2"),
        (own_code, "is no captioner", "florence2"),
        (lambda each: change(each / "config.json", vision_config={"image_size": 64}), "could not be loaded", "fetch"),
    ],
)
def test_directories_that_are_no_captioners(
    sources: dict[str, str], tmp_path: Path, damage: Callable[[Path], object], message: str, hint: str
) -> None:
    directory = Path(shutil.copytree(directory_of(sources["blip"]), tmp_path / "model"))
    (directory / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    damage(directory)
    found = failure(directory)
    assert message in found.message
    assert hint in found.hint
    assert not (tmp_path / "ran").exists()


def test_a_picture_that_the_model_is_not_made_for(sources: dict[str, str], tmp_path: Path) -> None:
    directory = Path(shutil.copytree(directory_of(sources["blip"]), tmp_path / "model"))
    file = directory / "processor_config.json"
    processor = json.loads(file.read_text())
    processor["image_processor"]["size"] = {"height": 40, "width": 40}
    file.write_text(json.dumps(processor))
    assert "can't write" in failure(directory).message


def test_hub_names_without_a_network(sources: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blip = directory_of(sources["blip"])
    with no_network(monkeypatch, tmp_path):
        snapshot = put_into_cache(tmp_path, "some/body", "refs/pr/38", blip)
        found = load_embedder("transformers:some/body@refs/pr/38", device="cpu")
        assert found.info.fingerprint == fingerprint_of(blip)
        (snapshot / "model.safetensors").unlink()
        for source in ("florence2", "blip", "transformers:some/body", "transformers:some/body@refs/pr/38"):
            missing = failure(source)
            assert "not in the local cache" in missing.message
            assert "transformers:/path" in missing.hint
