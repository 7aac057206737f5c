"""What parent and decoding child say to each other over a socket.

Frames are a length (4 bytes, big endian) and that many bytes. To the child: JSON of the preprocessing, then the
picture. From the child: READY once; then per picture GOT_IT and one answer, either PIXELS with height and width
(4 bytes each) and RGB rows, or FAULT with JSON. A child has read hostile bytes, so its answers are only ever parsed as
this, never unpickled.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import get_args

import numpy as np

from thanopg.errors import ImageError, ImageFault
from thanopg.models.embedder import Pixels

READY, GOT_IT, PIXELS, FAULT = b"R", b"G", b"P", b"F"
LENGTH = struct.Struct(">I")
SHAPE = struct.Struct(">II")
CHUNK = 1 << 20
FAULTS = frozenset(get_args(ImageFault))


class Hangup(Exception):
    """The other side has gone, or talks nonsense."""


def send(peer: socket.socket, *parts: bytes | memoryview, deadline: float | None = None) -> None:
    """One frame. Raises TimeoutError, Hangup."""
    length = sum(len(part) for part in parts)
    try:
        for part in (LENGTH.pack(length), *parts):
            peer.settimeout(_left(deadline))
            peer.sendall(part)
    except TimeoutError:
        raise
    except OSError as error:
        raise Hangup(str(error)) from error


def receive(peer: socket.socket, *, at_most: int, deadline: float | None = None) -> bytearray:
    """One frame. Raises TimeoutError, Hangup."""
    (length,) = LENGTH.unpack(_exactly(peer, LENGTH.size, deadline))
    if length > at_most:
        raise Hangup(f"expected at most {at_most} bytes, not {length}")
    return _exactly(peer, length, deadline)


def pack_pixels(pixels: Pixels) -> tuple[bytes | memoryview, ...]:
    """uint8 (height, width, 3) → the parts of a frame."""
    rows = np.ascontiguousarray(pixels).reshape(-1)
    return PIXELS, SHAPE.pack(pixels.shape[0], pixels.shape[1]), rows.data


def pack_fault(error: ImageError) -> tuple[bytes, ...]:
    """A fault → the parts of a frame."""
    return FAULT, json.dumps([error.fault, error.message]).encode()


def unpack(answer: bytearray, *, shape: tuple[int, int, int]) -> Pixels:
    """The answer to one picture → uint8 of `shape`, writable. Raises ImageError, or Hangup for nonsense."""
    kind, body = bytes(answer[:1]), memoryview(answer)[1:]
    if kind == FAULT:
        try:
            fault, message = json.loads(bytes(body))
            known = fault in FAULTS
        except (ValueError, TypeError) as nonsense:
            raise Hangup("a fault that can't be read") from nonsense
        if not known:
            raise Hangup("a fault that does not exist")
        raise ImageError(fault, str(message))
    expected = SHAPE.size + shape[0] * shape[1] * shape[2]
    if kind != PIXELS or len(body) != expected or SHAPE.unpack_from(body) != shape[:2]:
        raise Hangup("pixels of another shape")
    return np.frombuffer(body[SHAPE.size :], dtype=np.uint8).reshape(shape)


def _exactly(peer: socket.socket, count: int, deadline: float | None) -> bytearray:
    data = bytearray(count)
    view, done = memoryview(data), 0
    while done < count:
        peer.settimeout(_left(deadline))
        try:
            got = peer.recv_into(view[done : done + CHUNK])
        except TimeoutError:
            raise
        except OSError as error:
            raise Hangup(str(error)) from error
        if not got:
            raise Hangup("closed")
        done += got
    return data


def _left(deadline: float | None) -> float | None:
    """Seconds of time.monotonic() until the deadline; zero would mean not to wait at all."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.001)
