"""Captions: the committed captioner on unseen pictures, decoding that repeats itself, CoCa, and what can fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from tests.small_models import CAPTIONER, SMALL, save_model
from thanopg.catalog.captions import names_right
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.phrases import LANGUAGES, Language
from thanopg.catalog.training.captions import CaptionPlan, CaptionTraining, Vocabulary, make_config
from thanopg.catalog.training.data import drawn_dataset
from thanopg.catalog.training.features import as_maps
from thanopg.errors import InvalidArgument, ModelUnavailable, NotSupported
from thanopg.models.bundled import BUNDLED_DIRECTORY
from thanopg.models.caption_decoder import CaptionDecoder, FeatureMap
from thanopg.models.captioner import CONFIG_FILE, WEIGHTS_FILE, write
from thanopg.models.embedder import Captioner, Pixels
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder
from thanopg.models.open_clip import OpenClipEmbedder

BAR = 0.90
SAMPLE, SEED = 300, 41
"""of a seed that neither training nor the model card's figures have"""


@pytest.fixture(scope="module")
def catalog() -> Captioner:
    return cast(Captioner, load_embedder("bundled:catalog", device="cpu"))


@pytest.fixture(scope="module")
def pixels(catalog: Captioner) -> Pixels:
    return drawn_dataset(SAMPLE, SEED, side=catalog.preprocessing.height, only_taught=False).pixels


@pytest.fixture(scope="module")
def coca(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEmbedder:
    source = save_model(tmp_path_factory.mktemp("coca"), CAPTIONER)
    only_words(source)
    return cast(OpenClipEmbedder, load_embedder(source, device="cpu"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_of_unseen_pictures_name_category_and_colour(
    catalog: Captioner, pixels: Pixels, language: Language
) -> None:
    captions = catalog.caption_images(pixels, language=language)
    products = make_products(SAMPLE, SEED)
    right = [
        names_right(caption.text, product.attributes, language, "category", "colour")
        for caption, product in zip(captions, products, strict=True)
    ]
    assert np.mean(right) >= BAR
    found = [caption.attributes or {} for caption in captions]
    named = [(each.get("category"), each.get("colour")) for each in found]
    assert np.mean([pair == (p.category, p.colour) for pair, p in zip(named, products, strict=True)]) >= BAR


def test_a_picture_alone_has_the_caption_it_has_in_a_batch(catalog: Captioner, pixels: Pixels) -> None:
    for beams in (1, 3):
        together = catalog.caption_images(pixels[:24], language="ko", beams=beams)
        assert catalog.caption_images(pixels[:24], language="ko", beams=beams) == together
        alone = [catalog.caption_images(one[None], language="ko", beams=beams) for one in pixels[:24]]
        assert [caption for (caption,) in alone] == together


def test_no_pictures_have_no_captions(catalog: Captioner, pixels: Pixels) -> None:
    assert catalog.caption_images(pixels[:0], language="en") == []


def test_captions_leave_vectors_and_fingerprint_alone(catalog: Captioner, pixels: Pixels, tmp_path: Path) -> None:
    plain = bundled_copy(tmp_path)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        (plain / name).unlink()
    embedder = load_embedder(f"local-dir:{plain}", device="cpu")
    assert (catalog.info.can_caption, embedder.info.can_caption) == (True, False)
    assert embedder.info.fingerprint == catalog.info.fingerprint
    np.testing.assert_array_equal(embedder.embed_images(pixels[:8]), catalog.embed_images(pixels[:8]))


def test_a_language_that_it_does_not_write(catalog: Captioner, coca: OpenClipEmbedder, pixels: Pixels) -> None:
    with pytest.raises(InvalidArgument, match="ko, en, not in 'fr'") as caught:
        catalog.caption_images(pixels[:1], language="fr")
    assert "'ko'" in caught.value.hint
    with pytest.raises(InvalidArgument, match="in en, not in 'ko'"):
        coca.caption_images(noise(coca), language="ko")
    with pytest.raises(NotSupported, match="takes no prompt"):
        coca.caption_images(noise(coca), language="en", prompt="what is it?")


def test_coca_writes_what_its_own_forward_finds_likeliest(coca: OpenClipEmbedder) -> None:
    """Weights are random, so it is nonsense; the loop is compared with one picture at a time, written out."""
    assert coca.info.can_caption
    assert coca.languages == ("en",)
    pixels = noise(coca)
    captions = coca.caption_images(pixels, language="en")
    assert captions == [coca.caption_images(one[None], language="en")[0] for one in pixels]
    texts = [caption.text for caption in captions]
    assert texts == [greedy_by_hand(coca, one) for one in pixels]
    assert all(texts) and not any("<" in text for text in texts)
    assert len(coca.caption_images(pixels, language="en", beams=4)) == len(pixels)


def test_a_model_without_a_captioner_says_so(tmp_path: Path) -> None:
    source = save_model(tmp_path, SMALL)
    loaded = ModelLibrary(device="cpu").get(source)
    assert not loaded.info.can_caption
    for model in (loaded, ModelLibrary().get("fake:8")):
        with pytest.raises(NotSupported, match="writes no captions") as caught:
            model.caption_images(np.zeros((1, 32, 32, 3), dtype=np.uint8), language="ko")
        assert "catalog" in caught.value.hint


def test_captioners_that_are_damaged_or_of_another_model(tmp_path: Path) -> None:
    directory = bundled_copy(tmp_path)
    config, weights = directory / CONFIG_FILE, directory / WEIGHTS_FILE
    whole, described = weights.read_bytes(), json.loads(config.read_text("utf-8"))
    for damaged in (b"", whole[: len(whole) // 2]):
        weights.write_bytes(damaged)
        assert "could not be loaded" in failure(directory).message
    weights.unlink()
    assert "could not be loaded" in failure(directory).message
    weights.write_bytes(whole)
    for text in ("{", "[]", "{}", json.dumps({**described, "more": 1})):
        config.write_text(text)
        assert "can't be read" in failure(directory).message
    for width in (64, "wide"):
        config.write_text(json.dumps({**described, "width": width}))
        assert "could not be loaded" in failure(directory).message
    config.write_text(json.dumps({**described, "fingerprint": "0" * 64}))
    misfit = failure(directory)
    assert "belongs to a model with fingerprint 000000000000…" in misfit.message
    assert "train-captions" in misfit.hint
    config.unlink()
    assert f"no {CONFIG_FILE}" in failure(directory).message


def test_training_teaches_and_a_killed_run_goes_on(tmp_path: Path) -> None:
    """Two kinds of pictures, told apart by what the tower sees of them."""
    tokenizer = Tokenizer.from_file(str(BUNDLED_DIRECTORY / "tokenizer.json"))
    said = {"ko": ["빨간색 원피스", "파란색 가방"], "en": ["a red dress", "a blue bag"]}
    texts = {language: [kinds[number % 2] for number in range(64)] for language, kinds in said.items()}
    vocabulary = Vocabulary(tokenizer, "<end>", [text for kinds in said.values() for text in kinds])
    maps = (FeatureMap(index=0, channels=4, places=2),)
    seen = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float16)
    seen[::2, ::4] += 8  # in one channel of each place
    told: list[str] = []

    def right(decoder: CaptionDecoder) -> float:
        look = decoder.look(as_maps(seen[:8], maps, torch.device("cpu")))
        found = [write(decoder, look, torch.full((8, 1), decoder.start(each))) for each in ("ko", "en")]
        rows = [row for several in found for row in several]
        return float(np.mean([row == wanted for row, wanted in zip(rows, expected, strict=True)]))

    expected = [row[:-1] for each in ("ko", "en") for row in vocabulary.rows(texts[each][:8])]

    def train(epochs: int) -> float:
        training = CaptionTraining(
            [seen],
            {language: vocabulary.rows(several) for language, several in texts.items()},
            make_config("f" * 64, vocabulary, texts, maps),
            CaptionPlan(epochs=epochs, batch=8, rate=5e-3, warm_up=4, patience=99),
            device=torch.device("cpu"),
            checkpoint=tmp_path / "captioner.pt",
            tell=told.append,
        )
        return training.run(right, tmp_path)

    first = train(1)
    assert not any("going on" in line for line in told)
    assert train(8) == 1.0 >= first
    assert "going on after epoch 1" in told
    assert (tmp_path / WEIGHTS_FILE).exists()
    (tmp_path / WEIGHTS_FILE).unlink()
    (tmp_path / CONFIG_FILE).unlink()
    train(8)  # over already
    assert (tmp_path / WEIGHTS_FILE).exists()


def bundled_copy(path: Path) -> Path:
    directory = path / "model"
    shutil.copytree(BUNDLED_DIRECTORY, directory)
    return directory


def failure(directory: Path) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        load_embedder(f"local-dir:{directory}", device="cpu")
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def only_words(source: str) -> None:
    """Leaves random weights without half characters and ends, which are no text, and are likeliest on some machines."""
    from thanopg.models.checkpoint import open_checkpoint

    file = Path(source.removeprefix("local-dir:")) / "open_clip_model.safetensors"
    state = load_file(file)
    decode = open_checkpoint(source).tokenizer.decode
    to_tokens = state["text_decoder.text_projection"]
    words = torch.tensor([decode([token]).strip().isalpha() for token in range(to_tokens.shape[1])])
    state["text_decoder.text_projection"] = to_tokens * words
    save_file(state, file)


def noise(embedder: Any, count: int = 4) -> Pixels:
    size = (count, embedder.preprocessing.height, embedder.preprocessing.width, 3)
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def greedy_by_hand(coca: OpenClipEmbedder, picture: Pixels) -> str:
    from thanopg.models.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(coca.info.source)
    model, tokenizer = cast(Any, checkpoint.model), checkpoint.tokenizer
    image = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
    mean, deviation = (torch.tensor(model.visual.preprocess_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    ids = [tokenizer.sot_token_id]
    with torch.inference_mode():
        while ids[-1] != tokenizer.eot_token_id and len(ids) < 24:
            found = model((image - mean) / deviation, torch.tensor([ids]), output_labels=False)
            ids.append(int(found["logits"][0, -1].argmax()))
    text = tokenizer.decode([token for token in ids if token < tokenizer.sot_token_id])
    return " ".join(text.replace("\ufffd", "").split())  # half a character is none
