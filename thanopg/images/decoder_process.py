"""One decoding process, seen from its parent: started, given pictures one by one, killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from thanopg.config import ImageLimits
from thanopg.errors import DecoderUnavailable, ImageError
from thanopg.images import wire
from thanopg.models.embedder import Pixels, Preprocessing

START_SECONDS = 60.0
ENDING_SECONDS = 5.0
INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "LANG", "LC_ALL", "TMPDIR")
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(64 << 20), "MALLOC_TRIM_THRESHOLD_": str(128 << 20)}
"""glibc's: a picture's memory serves the next one; given back and asked for anew it costs a page fault every 4 KiB"""
PACKAGE_PARENT = Path(__file__).parents[2]


class Died(Exception):
    """The process has ended; `of_this_picture` if it had the picture, so that it may have died of it."""

    def __init__(self, message: str, *, of_this_picture: bool) -> None:
        super().__init__(message)
        self.of_this_picture = of_this_picture


class DecoderProcess:
    """A child interpreter running `thanopg.images.child`. One thread at a time, except for `kill`."""

    def __init__(self, limits: ImageLimits) -> None:
        """Starts it and waits until it is ready. Raises DecoderUnavailable."""
        self._limits = limits
        self._peer, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    # -P: the current directory, often that of the pictures, is no place to import from
                    [sys.executable, "-P", "-m", "thanopg.images.child", str(theirs.fileno()), _as_json(limits)],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    start_new_session=True,  # Ctrl-C in a terminal is for the parent
                )
            except OSError as error:
                self._peer.close()
                raise DecoderUnavailable(f"no decoding process could be started: {error.strerror}") from error
        try:
            wire.receive(self._peer, at_most=1, deadline=time.monotonic() + START_SECONDS)
        except (TimeoutError, wire.Hangup) as error:
            self.close()
            raise DecoderUnavailable(f"a decoding process did not start: {self._ending()}") from error

    def decode(self, data: bytes | memoryview, preprocessing: Preprocessing) -> Pixels:
        """Raises ImageError; Died if the process has ended meanwhile."""
        deadline = time.monotonic() + self._limits.seconds
        shape = (preprocessing.height, preprocessing.width, 3)
        has_it = False
        try:
            wire.send(self._peer, _as_json(preprocessing).encode(), deadline=deadline)
            wire.send(self._peer, data, deadline=deadline)
            wire.receive(self._peer, at_most=1, deadline=deadline)
            has_it = True
            at_most = 1 + wire.SHAPE.size + shape[0] * shape[1] * shape[2] + 4096
            answer = wire.receive(self._peer, at_most=at_most, deadline=deadline)
            return wire.unpack(answer, shape=shape)
        except TimeoutError:
            self.close()
            if not has_it:
                raise Died("it stopped listening", of_this_picture=False) from None
            raise ImageError("decoder_timeout", f"decoding took longer than {self._limits.seconds:g} s") from None
        except wire.Hangup as hangup:
            ending = self._ending()
            self.close()
            raise Died(ending, of_this_picture=has_it) from hangup

    def kill(self) -> None:
        """Ends it now, whatever it does. From any thread, and more than once."""
        self._process.kill()

    def close(self) -> None:
        """Ends it and forgets it; more than once if need be."""
        self._process.kill()
        self._process.wait()
        self._peer.close()

    def _ending(self) -> str:
        try:
            code = self._process.wait(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            return "it hung up"
        if code >= 0:
            return f"exit status {code}"
        return signal.Signals(-code).name


def _as_json(value: ImageLimits | Preprocessing) -> str:
    return json.dumps(asdict(value))


def _environment() -> dict[str, str]:
    """What an interpreter needs and no secrets; this package importable; no threads for linear algebra; memory kept."""
    path = os.environ.get("PYTHONPATH")
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "PYTHONPATH": os.pathsep.join([str(PACKAGE_PARENT), *([path] if path else [])]),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        **KEEP_MEMORY,
    }
