"""`thanopg worker`: works off pending rows, in front, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer

from thanopg.cli.options import EngineOption, with_settings
from thanopg.cli.supervised import UntilStdinCloses, end_with_stdin
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg worker --once --image-root ~/Pictures        work off what is pending, then end
  thanopg worker --database-url postgresql://shop@db.example/shop --image-root /srv/pictures
"""
READERS_PER_DECODER = 2


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(worker)


@with_settings("home", "database_url", "image_root", "device", "verbose")
def worker(
    settings: Settings,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is pending.")] = False,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Rows that go through the model together.")] = 64,
    decoders: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes that decode images; default: one per core.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Decode large JPEGs in full, though a draft gives the same vectors.")
    ] = False,
    engine: EngineOption = "auto",
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Turn the pictures of pending rows into vectors.

    Stateless: run as many as you want, on as many machines as see the pictures; kill one at any moment.
    """
    from functools import partial

    from thanopg.cli.target import image_root, worker_url
    from thanopg.images.pool import DecodePool
    from thanopg.images.processors import processors
    from thanopg.images.remote.reader import RemoteReader
    from thanopg.images.source import ImageReader
    from thanopg.models.library import ModelLibrary
    from thanopg.models.load import load_embedder
    from thanopg.worker.options import WorkerOptions
    from thanopg.worker.prepare import Preparer
    from thanopg.worker.worker import Worker

    root = image_root(settings)
    url = worker_url(settings)
    stop = threading.Event()
    stop_on_signal(stop)
    if until_stdin_closes:
        end_with_stdin()
    processes = decoders or processors()
    remote = RemoteReader(settings.remote, settings.limits)
    reader = ImageReader(root, settings.limits, remote=remote)
    with (
        DecodePool(processes, settings.limits) as decoder,
        Preparer(reader, decoder, threads=READERS_PER_DECODER * processes) as preparer,
    ):
        library = ModelLibrary(settings.device, partial(load_embedder, engine=engine))
        print(f"working; image paths are below {settings.image_root}", file=sys.stderr, flush=True)
        tally = Worker(url, library, preparer, WorkerOptions(batch_size=batch_size, exact=exact)).run(stop, once=once)
    faults = ", ".join(f"{count} {fault}" for fault, count in sorted(tally.faults.items()))
    said = f"embedded {tally.embedded}, unchanged {tally.unchanged}, failed {tally.failed}"
    print(said + (f" ({faults})" if faults else ""), file=sys.stderr)


def stop_on_signal(stop: threading.Event) -> None:
    """The first signal lets the batches under way be written; the second ends the process as it would anyway."""

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
