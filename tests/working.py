"""A worker in the test's own process that works off what is pending, then ends. It decodes without a child process."""

from __future__ import annotations

import base64
import io
import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import psycopg
from PIL import Image
from psycopg.types.json import Jsonb

from thanopg.config import ImageLimits
from thanopg.images.decode import decode
from thanopg.images.source import ImageReader
from thanopg.models.embedder import Pixels, Preprocessing
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.settle import Tally
from thanopg.worker.worker import Worker

LIMITS = ImageLimits()


class DecoderHere:
    """For pictures that the test made itself."""

    def submit(self, data: bytes, preprocessing: Preprocessing) -> Future[Pixels]:
        future: Future[Pixels] = Future()
        try:
            future.set_result(decode(data, preprocessing, LIMITS))
        except Exception as error:
            future.set_exception(error)
        return future


def work_off(
    url: str,
    root: Path = Path("/nonexistent"),
    *,
    library: ModelLibrary | None = None,
    reader: ImageReader | None = None,
    batch_size: int = 64,
) -> Tally:
    with Preparer(reader or ImageReader(root, LIMITS), DecoderHere(), threads=1) as preparer:
        worker = Worker(url, library or ModelLibrary("cpu"), preparer, WorkerOptions(lease=20, batch_size=batch_size))
        return worker.run(threading.Event(), once=True)


def register_fake(connection: psycopg.Connection, dimensions: int, name: str = "fake") -> FakeEmbedder:
    """A model without asking a service; without dimensions one that writes captions."""
    embedder = FakeEmbedder(dimensions)
    connection.execute(
        "INSERT INTO thanopg.model SELECT (thanopg.described_model(%s, 'fake', %s)).*",
        (name, Jsonb({**embedder.info.as_json(), "languages": embedder.languages or None})),
    )
    return embedder


def picture(seed: int) -> bytes:
    """A PNG file's bytes."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def picture_uri(seed: int) -> str:
    return "data:image/png;base64," + base64.b64encode(picture(seed)).decode()


def vector(seed: int, dimensions: int) -> list[float]:
    """What the fake model makes of `picture(seed)`, float32 values."""
    embedder = FakeEmbedder(dimensions)
    pixels = decode(picture(seed), embedder.preprocessing, LIMITS)
    return [float(value) for value in embedder.embed_images(pixels[None])[0]]
