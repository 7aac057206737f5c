"""The text tower of ViT-B-32 with padding, without, and by the quickest engine; and 64 texts at once through SQL.

Weights are random, because speed does not depend on them; vectors are compared all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from typing import cast

import numpy as np
import torch
from torch.nn import functional

from benchmarks.at_once import at_once
from benchmarks.measure import Bar, Figure, figure_of, interleave, timed
from benchmarks.plain import PlainOpenClip, save_random
from benchmarks.queries import different_queries
from benchmarks.stack import Stack
from thanopg.database.connect import Connection, connect
from thanopg.models.embedder import Vectors
from thanopg.models.load import load_embedder
from thanopg.models.open_clip import OpenClipEmbedder
from thanopg.models.text_tower import SAME, text_encoder

ARCHITECTURE = "ViT-B-32"
BATCH = 32
SESSIONS = 64
ROWS = 1_000


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    source = save_random(ARCHITECTURE, stack.directory / "text-model")
    embedder = cast(OpenClipEmbedder, load_embedder(source, device="cpu", engine="auto"))
    return [
        *_towers(source, embedder, 1, rounds=20 if quick else 60),
        *_towers(source, embedder, BATCH, rounds=5 if quick else 20),
        *_burst(stack, source, embedder, rounds=3 if quick else 10),
    ]


def _towers(source: str, embedder: OpenClipEmbedder, number: int, *, rounds: int) -> list[Figure]:
    plain = PlainOpenClip(source)
    texts = different_queries(number)
    ids = plain.tokenize(texts)
    trimmed = text_encoder(plain.model, plain.tokenize)

    def vectors(encode: Callable[[torch.Tensor], torch.Tensor]) -> Vectors:
        with torch.inference_mode():
            return functional.normalize(encode(ids), dim=-1).numpy()

    _check_same(vectors(trimmed), vectors(plain.model.encode_text))
    _check_same(embedder.embed_texts(texts).vectors, plain.texts(texts))
    return interleave(
        f"text tower, {number} short {'query' if number == 1 else 'queries'}, {ARCHITECTURE}, float32",
        {
            "open_clip, padded to 77 tokens": partial(vectors, plain.model.encode_text),
            "without the padding": partial(vectors, trimmed),
            f"by {embedder.text_engine}, as the service, with its tokens": partial(embedder.embed_texts, texts),
        },
        rounds=rounds,
        bars={"without the padding": Bar(most=0.5)} if number == BATCH else {},
    )


def _burst(stack: Stack, source: str, embedder: OpenClipEmbedder, *, rounds: int) -> list[Figure]:
    """Ratios are rates here: of the burst, to the tower alone."""
    title = f"{SESSIONS} different texts at once, {ARCHITECTURE}"
    turn, served = count(), dict[str, list[float]]()

    def texts() -> list[str]:
        return different_queries(SESSIONS, part=next(turn))  # never twice: nothing comes from the cache

    with ExitStack() as opened:
        sessions = [opened.enter_context(connect(stack.url, autocommit=True)) for _ in range(SESSIONS)]
        _fill(sessions[0], source)
        calls = {
            "embed_text": "SELECT embed_text($1, 'texts')",
            "search_image": "SELECT * FROM search_image($1, 'texts')",
        }
        for statement in calls.values():
            at_once(sessions, statement, texts())
        asked = texts()
        found = [json.loads(row[0] or b"") for row in at_once(sessions, calls["embed_text"], asked)]
        _check_same(np.array(found, np.float32), embedder.embed_texts(asked).vectors)

        def through_sql(name: str) -> None:
            before = _batches(stack)
            at_once(sessions, calls[name], texts())
            served.setdefault(name, []).append(_batches(stack) - before)

        alone, *through = (
            figure_of(title, what, taken)
            for what, taken in timed(
                {
                    "the text tower alone, in one batch": lambda: embedder.embed_texts(texts()),
                    **{name: partial(through_sql, name) for name in calls},
                },
                rounds=rounds,
            ).items()
        )
    figures = [alone]
    for figure in through:
        figures.append(replace(figure, ratio=alone.median / figure.median, bar=Bar(least=0.8)))
        figures.append(figure_of(title, "  served in", served[figure.what], unit="batches"))
    return figures


def _batches(stack: Stack) -> float:
    """Forward passes of texts that the service has made."""
    return stack.service.server.metrics.registry.get_sample_value("thanopg_batch_size_count", {"kind": "text"}) or 0


def _fill(connection: Connection, source: str) -> None:
    connection.execute("SELECT create_model('texts', source => %s, base => 'vit')", (source,))
    connection.execute("CREATE TABLE text_bench (id int PRIMARY KEY, image_path text)")
    connection.execute("SELECT add_image_embedding('text_bench', 'image_path', 'texts')")
    connection.execute("ALTER TABLE text_bench DISABLE TRIGGER USER")
    connection.execute(
        f"INSERT INTO text_bench SELECT i, i || '.jpg', (SELECT array_agg(random() - 0.5)::vector "
        f"FROM generate_series(1, 512) WHERE i > 0) FROM generate_series(1, {ROWS}) i".encode()
    )
    connection.execute("ANALYZE text_bench")


def _check_same(found: Vectors, wanted: Vectors) -> None:
    least = float((found * wanted).sum(axis=1).min())
    if not least >= SAME:
        raise RuntimeError(f"expected the same vectors, found a cosine of {least:.6f}")
