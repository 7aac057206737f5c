"""A decoding process has read hostile bytes: whatever it answers is either what was agreed or a hang-up."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thanopg.errors import ImageError
from thanopg.images import wire

SHAPE = (2, 3, 3)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_pixels_cross(pair: tuple[socket.socket, socket.socket]) -> None:
    pixels = np.arange(18, dtype=np.uint8).reshape(SHAPE)
    wire.send(pair[0], *wire.pack_pixels(pixels))
    answer = wire.receive(pair[1], at_most=100)
    assert (wire.unpack(answer, shape=SHAPE) == pixels).all()


def test_faults_cross(pair: tuple[socket.socket, socket.socket]) -> None:
    wire.send(pair[0], *wire.pack_fault(ImageError("truncated", "잘린 파일")))
    with pytest.raises(ImageError, match="잘린 파일") as caught:
        wire.unpack(wire.receive(pair[1], at_most=100), shape=SHAPE)
    assert caught.value.fault == "truncated"


@given(st.binary(max_size=64))
def test_nonsense_is_a_hangup(answer: bytes) -> None:
    try:
        pixels = wire.unpack(bytearray(answer), shape=SHAPE)
    except (wire.Hangup, ImageError):
        return
    assert pixels.shape == SHAPE


@pytest.mark.parametrize(
    "answer", [b'F["missing"', b'F["no such fault", "x"]', b"F[]", b'F[[], "x"]', b"F7", b"P", b"", b"F\xff"]
)
def test_answers_that_look_right_and_are_not(answer: bytes) -> None:
    with pytest.raises(wire.Hangup):
        wire.unpack(bytearray(answer), shape=SHAPE)


def test_a_frame_longer_than_agreed(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].sendall(b"\xff\xff\xff\xff")
    with pytest.raises(wire.Hangup):
        wire.receive(pair[1], at_most=100)


def test_half_a_frame_and_then_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].sendall(wire.LENGTH.pack(10) + b"12345")
    with pytest.raises(TimeoutError):
        wire.receive(pair[1], at_most=100, deadline=time.monotonic() + 0.05)
    pair[0].close()
    with pytest.raises(wire.Hangup):
        wire.receive(pair[1], at_most=100)
