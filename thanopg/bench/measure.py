"""Measures, in under a minute, what each part of a worker's and a service's work takes with one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import psycopg

from thanopg.bench.expected import with_writing
from thanopg.bench.machine import machine
from thanopg.bench.photographs import made_photographs, own_photographs
from thanopg.bench.pipeline import images_per_second
from thanopg.bench.report import Forward, Model, Pictures, Report, Texts, Writing
from thanopg.bench.timing import cpu_each, timed
from thanopg.bench.writing import seconds_per_row
from thanopg.config import ImageLimits
from thanopg.errors import ThanopgError
from thanopg.images.decode import decode
from thanopg.images.processors import processors
from thanopg.models.embedder import Pixels
from thanopg.models.library import LoadedModel
from thanopg.worker.draft import with_drafts

DECODING, FORWARD, TOGETHER, TEXTS_ALONE, TEXTS_BATCHED = 0.2, 0.2, 0.4, 0.1, 0.1
"""shares of the time"""
TEXT_BATCH = 32
TEXTS = ("밝은 빨간색 미니 원피스", "a red dress", "방수 겨울 부츠", "white low-top sneakers", "초록색 백팩")

Tell = Callable[[str], None]
"""hears what is being done"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to measure, and with what."""

    batch: int
    decoders: int
    seconds: float
    """about so long, beside what loading the model and drawing pictures take"""
    pictures: Path | None = None
    """the user's own; None: made on the spot"""
    limits: ImageLimits
    url: str | None = None
    """of a database in which writing is measured"""


def steps(wanted: Wanted) -> int:
    """How often `measure` tells what it does, at most."""
    return 7 if wanted.pictures is None else 5


def measure(model: LoadedModel, wanted: Wanted, tell: Tell) -> Report:
    """Raises InvalidArgument where the user's own pictures can't be used."""
    report = Report(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        processors=processors(),
        decoders=wanted.decoders,
        model=_described(model),
    )
    writing, why = _writing(model, wanted, tell)
    report = replace(report, writing=writing, not_written=why)
    if model.info.can_embed_images or model.info.can_caption:
        report = _with_pictures(report, model, wanted, tell)
    if model.info.can_embed_texts:
        tell("texts")
        report = replace(report, texts=_texts(model, wanted.seconds))
    return report


def _described(model: LoadedModel) -> Model:
    embedder: Any = model.embedder
    return Model(
        source=model.info.source,
        fingerprint=model.info.fingerprint,
        dimensions=model.info.dimensions,
        device=model.device,
        engine=getattr(embedder, "engine", "torch"),
        precision=getattr(embedder, "precision", "fp32"),
        text_engine=getattr(embedder, "text_engine", "torch"),
        tried=[each._asdict() for each in getattr(embedder, "tried", ())],
    )


def _writing(model: LoadedModel, wanted: Wanted, tell: Tell) -> tuple[Writing | None, str]:
    if wanted.url is None:
        return None, "no database"
    if not model.info.dimensions:
        return None, "the model makes no vectors"
    tell("writing")
    try:
        return Writing(row_ms=1000 * seconds_per_row(wanted.url, model.info, batch=wanted.batch)), ""
    except (psycopg.Error, ThanopgError) as error:
        return None, str(error).splitlines()[0]


def _with_pictures(report: Report, model: LoadedModel, wanted: Wanted, tell: Tell) -> Report:
    tell("pictures")
    quick = with_drafts(model) if model.info.can_embed_images else model.preprocessing
    unusable: Mapping[str, int] = {}
    if wanted.pictures is None:
        sets = made_photographs()
    else:
        own, unusable = own_photographs(wanted.pictures, wanted.limits, model.preprocessing)
        sets = [own]
    pixels = [decode(data, quick, wanted.limits) for data in sets[0].files]
    tell("the model on pictures")
    batch = np.stack([pixels[n % len(pixels)] for n in range(wanted.batch)])
    run, what = _run(model)
    forward = _forward(run, what, batch, FORWARD * wanted.seconds)
    measured = list[Pictures]()
    for each in sets:
        tell(f"{each.label}: decoding, and all together")
        usual, exact = (
            cpu_each(
                lambda data, way=way: decode(data, way, wanted.limits),  # type: ignore[misc]
                each.files,
                seconds=DECODING * wanted.seconds / (2 * len(sets)),
            )
            for way in (quick, model.preprocessing)
        )
        rate = images_per_second(
            run,
            each.files,
            quick,
            wanted.limits,
            decoders=wanted.decoders,
            batch=wanted.batch,
            seconds=TOGETHER * wanted.seconds / len(sets),
        )
        if report.writing is not None:
            rate = with_writing(rate, report.writing.row_ms / 1000, processors=report.processors)
        measured.append(
            Pictures(
                label=each.label,
                files=len(each.files),
                kilobytes=mean(map(len, each.files)) / 1000,
                decode_ms=1000 * usual,
                decode_exact_ms=1000 * exact,
                images_per_second=rate,
            )
        )
    return replace(report, forward=forward, pictures=measured, unusable=dict(unusable))


def _run(model: LoadedModel) -> tuple[Callable[[Pixels], object], str]:
    """What a worker would have the model make of pictures, and what that is."""
    if model.info.can_embed_images:
        return model.embed_images, "vectors"
    return partial(model.caption_images, language=model.languages[0]), "captions"


def _forward(run: Callable[[Pixels], object], what: str, pixels: Pixels, seconds: float) -> Forward:
    taken = timed(lambda: run(pixels), seconds=seconds)
    number = len(pixels)
    return Forward(what=what, batch=number, images_per_second=number / taken.wall, cpu_ms=1000 * taken.cpu / number)


def _texts(model: LoadedModel, seconds: float) -> Texts:
    number = 0

    def new(count: int) -> Sequence[str]:
        """None of them was seen before."""
        nonlocal number
        number += count
        return [f"{TEXTS[n % len(TEXTS)]} {n}" for n in range(number - count, number)]

    one = timed(lambda: model.embed_texts(new(1)), seconds=TEXTS_ALONE * seconds)
    many = timed(lambda: model.embed_texts(new(TEXT_BATCH)), seconds=TEXTS_BATCHED * seconds)
    return Texts(one_ms=1000 * one.wall, batch=TEXT_BATCH, texts_per_second=TEXT_BATCH / many.wall)
