from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thanopg.errors import InvalidArgument
from thanopg.service.literal import SLICE, parse_bytea, unhex, vector_literal


def test_a_vector_as_pgvector_reads_it() -> None:
    assert vector_literal(np.array([0.1, -0.2, 1e-08, 1], np.float32)) == b"[0.1,-0.2,1e-08,1.0]"


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_number_comes_back_exactly(numbers: list[float]) -> None:
    vector = np.array(numbers, np.float32)
    text = vector_literal(vector).decode()
    again = np.array([np.float32(part) for part in text[1:-1].split(",")], np.float32)
    assert again.tobytes() == vector.tobytes()


@given(st.binary())
def test_both_forms_of_a_bytea(data: bytes) -> None:
    assert parse_bytea("\\x" + data.hex()) == data
    assert parse_bytea("".join("\\\\" if byte == 92 else f"\\{byte:03o}" for byte in data)) == data


def test_plain_bytes_and_spaces_between_digits() -> None:
    assert parse_bytea("abc") == b"abc"
    assert parse_bytea("\\x00 ff") == struct.pack("BB", 0, 255)


@pytest.mark.parametrize("text", ["\\x0", "\\xzz", "\\8", "\\", "\\400"])
def test_what_is_no_bytea(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_bytea(text)


def test_a_long_bytea_is_read_in_slices() -> None:
    data = np.random.default_rng(1).bytes(SLICE + 1)
    text, into = memoryview(b"\\x" + data.hex().encode()), memoryview(bytearray(len(data)))
    assert len(list(unhex(text, into))) == 3
    assert bytes(into) == data


@pytest.mark.parametrize(
    "text", [b"\\x0g" + b"00" * SLICE, b"\\x0" + b"00" * SLICE, b"00" * SLICE, b"\\x " + b"00" * SLICE]
)
def test_what_is_no_long_bytea(text: bytes) -> None:
    with pytest.raises(InvalidArgument):
        list(unhex(memoryview(text), memoryview(bytearray((len(text) - 2) // 2))))
