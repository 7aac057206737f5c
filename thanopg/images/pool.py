"""Decoding processes: each picture is decoded where it can be killed, and a hostile one costs only itself.

A process of its own socket per worker thread, rather than a pool with shared queues: a child that dies takes no lock
or half-read message with it, so which picture it died of is certain, and the others never notice. Children are fresh
interpreters (nothing is forked off a process with threads and torch in it) that import Pillow and numpy only.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType

from thanopg.config import ImageLimits
from thanopg.errors import DecoderUnavailable, ImageError
from thanopg.images.decoder_process import DecoderProcess, Died
from thanopg.models.embedder import Pixels, Preprocessing

DEATHS = 2
"""a picture is to blame when this many processes died of it: one may have been killed by somebody else"""
INNOCENT_DEATHS = 3
"""processes that may be found dead before the picture is handed over"""


class DecodePool:
    """`processes` decoding processes, started when first needed; a context manager.

    What is submitted waits in an unbounded queue: callers bound what they have in flight, by bytes.
    """

    def __init__(self, processes: int, limits: ImageLimits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(max_workers=processes, thread_name_prefix="decode")
        self._idle: queue.LifoQueue[DecoderProcess | None] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._alive: set[DecoderProcess] = set()
        self._closed = False
        for _ in range(processes):
            self._idle.put(None)

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def submit(self, data: bytes | memoryview, preprocessing: Preprocessing) -> Future[Pixels]:
        """The pixels, uint8 (height, width, 3), writable, or an ImageError; DecoderUnavailable if no process starts.

        Futures that are not done when the pool is closed end in CancelledError.
        """
        return self._threads.submit(self._decode, data, preprocessing)

    def close(self) -> None:
        """Ends every process at once; waits for nothing but that."""
        with self._lock:
            self._closed = True
            alive = tuple(self._alive)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in alive:
            process.kill()
        self._threads.shutdown(wait=True)
        for process in alive:
            process.close()

    def _decode(self, data: bytes | memoryview, preprocessing: Preprocessing) -> Pixels:
        if len(data) > self._limits.bytes:
            raise ImageError("too_large", f"expected at most {self._limits.bytes} bytes, not {len(data)}")
        process = self._idle.get()
        deaths: list[Died] = []
        try:
            for _ in range(DEATHS + INNOCENT_DEATHS):
                process = process or self._start()
                try:
                    return process.decode(data, preprocessing)
                except Died as died:
                    self._end(process)
                    process = None
                    if self._closed:
                        raise CancelledError from None
                    if died.of_this_picture:
                        deaths.append(died)
                    if len(deaths) == DEATHS:
                        raise ImageError("decoder_died", f"decoding it ended {DEATHS} processes: {died}") from None
                except ImageError as error:
                    if error.fault in ("decoder_died", "decoder_timeout"):
                        self._end(process)
                        process = None
                    raise
            raise DecoderUnavailable("decoding processes end before they are given a picture")
        finally:
            self._idle.put(process)

    def _start(self) -> DecoderProcess:
        process = DecoderProcess(self._limits)
        with self._lock:
            if not self._closed:
                self._alive.add(process)
                return process
        process.close()
        raise CancelledError

    def _end(self, process: DecoderProcess) -> None:
        process.close()
        with self._lock:
            self._alive.discard(process)
