"""The commands' work: train the captioner beside a catalogue model, measure captions of unseen pictures."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from tokenizers import Tokenizer

from thanopg.catalog.captions import caption_of, names_right
from thanopg.catalog.phrases import LANGUAGES, Language
from thanopg.catalog.product import Product
from thanopg.catalog.training.attribute_words import attribute_words
from thanopg.catalog.training.captions import CaptionPlan, CaptionTraining, Vocabulary, make_config
from thanopg.catalog.training.data import drawn_dataset
from thanopg.catalog.training.features import Features, as_maps, last_maps, seen_features
from thanopg.catalog.training.measure import read_pictures
from thanopg.catalog.training.model import scaled
from thanopg.catalog.training.run import TRAINING_SEED, VALIDATION_SEED, say, unseen_pictures, write_info
from thanopg.catalog.training.tokens import END
from thanopg.catalog.training.train import augment
from thanopg.errors import ModelUnavailable
from thanopg.models.bases import BUNDLED
from thanopg.models.bundled import BUNDLED_DIRECTORY
from thanopg.models.caption_decoder import CaptionDecoder
from thanopg.models.captioner import CONFIG_FILE, read_config, remove_captioner, save_captioner, write
from thanopg.models.checkpoint import LOCAL_DIR, open_checkpoint
from thanopg.models.embedder import Captioner, ModelInfo
from thanopg.models.load import load_embedder

_BATCH = 100


@dataclass(frozen=True, kw_only=True)
class CaptionReport:
    """Of greedy captions, by language: shares between 0 and 1."""

    pictures: int
    category: dict[str, float] = field(default_factory=dict)
    colour: dict[str, float] = field(default_factory=dict)
    category_and_colour: dict[str, float] = field(default_factory=dict)
    everything: dict[str, float] = field(default_factory=dict)
    """all that is drawn beside them too: the caption is what it was taught to be, word for word"""
    examples: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def train_captions(
    directory: Path,
    work: Path,
    *,
    pictures: int,
    variants: int,
    plan: CaptionPlan,
    device: torch.device,
    processes: int,
) -> float:
    """Trains a captioner for the model in `directory` and leaves it there. Returns the validation measure.

    `variants`: what the tower sees of a picture as it is, and of so many less one that are moved, mirrored and changed
    a little.
    """
    source = f"{LOCAL_DIR}{directory.absolute()}"
    info = _info(directory, source)
    visual = cast(Any, open_checkpoint(source).model).visual.to(device)
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    scale = partial(scaled, device=device)
    side = visual.image_size if isinstance(visual.image_size, int) else visual.image_size[0]
    drawing: dict[str, Any] = {"side": side, "cache": work, "processes": processes}
    dataset = drawn_dataset(pictures, TRAINING_SEED, only_taught=True, **drawing)
    validation = drawn_dataset(1000, VALIDATION_SEED, only_taught=False, **drawing)
    maps = last_maps(visual, scale(dataset.pixels[:1]))
    say("looking at the pictures")
    features = [
        seen_features(
            visual,
            dataset.pixels,
            maps,
            scale,
            file=work / f"seen-{info.fingerprint[:12]}-{TRAINING_SEED}-{pictures}-{variant}.npy",
            change=partial(augment, random=np.random.default_rng(variant)) if variant else None,
        )
        for variant in range(variants)
    ]
    texts: dict[str, list[str]] = {
        language: [caption_of(product.attributes, language) for product in dataset.products] for language in LANGUAGES
    }
    vocabulary = Vocabulary(tokenizer, END, [text for several in texts.values() for text in several])
    config = make_config(info.fingerprint, vocabulary, texts, maps, attribute_words())
    rows = {language: vocabulary.rows(several) for language, several in texts.items()}
    training = CaptionTraining(features, rows, config, plan, device=device, checkpoint=work / "captioner.pt", tell=say)
    size = sum(parameter.numel() for parameter in training.decoder.parameters())
    say(f"{size / 1e6:.2f} M parameters, {len(vocabulary.tokens)} tokens")
    seen = seen_features(visual, validation.pixels, maps, scale)
    score = training.run(CaptionValidation(seen, validation.products, tokenizer, device), directory)
    write_info(directory)
    return score


def _info(directory: Path, source: str) -> ModelInfo:
    """Of the model; a captioner of earlier weights beside it goes."""
    try:
        return load_embedder(source, device="cpu", precision="fp32").info
    except ModelUnavailable:
        remove_captioner(directory)
        return load_embedder(source, device="cpu", precision="fp32").info


class CaptionValidation:
    """The share of greedy captions that name the right category and colour, over both languages."""

    def __init__(
        self, features: Features, products: Sequence[Product], tokenizer: Tokenizer, device: torch.device
    ) -> None:
        self._features, self._products, self._tokenizer, self._device = features, products, tokenizer, device

    def __call__(self, decoder: CaptionDecoder) -> float:
        return float(np.mean([self._right(decoder, language) for language in LANGUAGES]))

    def _right(self, decoder: CaptionDecoder, language: Language) -> float:
        tokens = decoder.config.tokens
        captions: list[str] = []
        for start in range(0, len(self._features), _BATCH):
            maps = as_maps(self._features[start : start + _BATCH], decoder.config.maps, self._device)
            with torch.inference_mode():
                starts = torch.full((len(maps[0]), 1), decoder.start(language), device=self._device)
                rows = write(decoder, decoder.look(maps), starts)
            captions += [self._tokenizer.decode([tokens[number] for number in row]) for row in rows]
        return _right(captions, self._products, language, "category", "colour")


def evaluate_captions(source: str, work: Path, *, pictures: int, processes: int, random_weights: bool) -> CaptionReport:
    """Measures captions of pictures of the test seed, which are written under `work` once. Raises NotSupported."""
    directory, products = unseen_pictures(work, pictures, processes=processes)
    if random_weights:
        source = make_random_captioner(source, work / "random-captioner")
    return measure_captions(cast(Captioner, load_embedder(source)), directory, products)


def measure_captions(embedder: Captioner, directory: Path, products: Sequence[Product]) -> CaptionReport:
    """Greedy captions of the products' pictures that lie in `directory`."""
    report = CaptionReport(pictures=len(products))
    written: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    for start in range(0, len(products), _BATCH):
        pixels = read_pictures(directory, products[start : start + _BATCH], side=embedder.preprocessing.height)
        for language, captions in written.items():
            captions += [caption.text for caption in embedder.caption_images(pixels, language=language)]
    for language in LANGUAGES:
        captions = written[language]
        report.category[language] = _right(captions, products, language, "category")
        report.colour[language] = _right(captions, products, language, "colour")
        report.category_and_colour[language] = _right(captions, products, language, "category", "colour")
        taught = [caption_of(product.attributes, language) for product in products]
        report.everything[language] = round(float(np.mean(np.array(captions) == np.array(taught))), 4)
        report.examples[language] = captions[:3]
    return report


def make_random_captioner(source: str, directory: Path) -> str:
    """The same model with a captioner of the same shape that has learned nothing; its source."""
    origin = BUNDLED_DIRECTORY if source in ("catalog", BUNDLED) else Path(source.removeprefix(LOCAL_DIR))
    config = read_config(origin / CONFIG_FILE)
    shutil.copytree(origin, directory, dirs_exist_ok=True)
    torch.manual_seed(VALIDATION_SEED)
    save_captioner(CaptionDecoder(config), directory)
    return f"{LOCAL_DIR}{directory.absolute()}"


def _right(captions: Sequence[str], products: Sequence[Product], language: Language, *names: str) -> float:
    pairs = zip(captions, products, strict=True)
    return round(
        float(np.mean([names_right(text, product.attributes, language, *names) for text, product in pairs])), 4
    )
