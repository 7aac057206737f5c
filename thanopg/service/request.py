"""A call with its arguments in hand, and its answer: what passes between protocol and models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from thanopg.errors import InvalidArgument, NotSupported, NullNotAllowed, ProtocolViolation
from thanopg.service.frontend import Bind, decode_text
from thanopg.service.lexer import Long
from thanopg.service.statement import ACCEPTED_HINT, BYTEA, TEXT, Call, Parameter

UNSPECIFIED: Final = 0
UNKNOWN: Final = 705
TEXT_LIKE: Final = frozenset({UNSPECIFIED, UNKNOWN, TEXT, 19, 1042, 1043})  # name, char(n), varchar
BYTEA_LIKE: Final = frozenset({UNSPECIFIED, UNKNOWN, BYTEA})
BINARY: Final = 1
MAX_TEXT: Final = 16_384
"""characters that go to the tokenizer, far more than any context holds; the caller is told of what is left out"""


Image = bytes | memoryview | str | Long
"""the bytes, or a bytea's text form; what is large lies in the message that brought it"""


class EmbedText(NamedTuple):
    text: str
    """cut short beyond MAX_TEXT characters, but longer than that"""
    source: str
    fingerprint: str | None


class EmbedImage(NamedTuple):
    image: Image
    source: str
    fingerprint: str | None


class DescribeModel(NamedTuple):
    source: str


class CaptionImage(NamedTuple):
    image: Image
    source: str
    fingerprint: str | None
    """None or empty: any"""
    language: str | None
    """None or empty: the first that the model writes"""
    prompt: str | None = None
    """None or empty: the model's own"""


Request = EmbedText | EmbedImage | DescribeModel | CaptionImage


class Answer(NamedTuple):
    value: bytes
    """text of the one column of the one row"""
    notices: tuple[str, ...] = ()


def parameter_types(call: Call, declared: Sequence[int]) -> tuple[int, ...]:
    """Type of each parameter: what the client declared where that fits, else ours. Raises NotSupported."""
    if len(declared) > len(call.parameters):
        declared = declared[: len(call.parameters)]
    types = list(call.parameters)
    for index, oid in enumerate(declared):
        expected = call.parameters[index]
        fits = TEXT_LIKE if expected == TEXT else BYTEA_LIKE
        if index + 1 in call.cast:
            fits |= TEXT_LIKE
        if oid not in fits:
            name = "bytea" if expected == BYTEA else "text"
            raise NotSupported(
                f"parameter ${index + 1} of {call.function} must be {name}, not the type with oid {oid}",
                hint=ACCEPTED_HINT,
            )
        if oid not in (UNSPECIFIED, UNKNOWN):
            types[index] = oid
    return tuple(types)


def literal_request(call: Call) -> Request:
    """The request of a call without parameters. Raises NullNotAllowed and whatever is wrong with the arguments."""
    if call.parameters:
        raise NotSupported("there is no parameter $1 in a simple query", hint="send it as an extended query")
    return _request(call, [part for part in call.arguments if not isinstance(part, Parameter)])


def bound_request(call: Call, types: Sequence[int], message: Bind) -> Request:
    """The request of a call whose parameters are bound. Raises ProtocolViolation, InvalidEncoding, NullNotAllowed."""
    values, formats = message.values, message.formats
    if len(values) != len(types):
        raise ProtocolViolation(f"the statement has {len(types)} parameters, and {len(values)} were bound")
    if len(formats) not in (0, 1, len(values)):
        raise ProtocolViolation(f"{len(formats)} formats for {len(values)} parameters")
    if len(formats) <= 1:
        formats = (formats[0] if formats else 0,) * len(values)
    decoded = [_value(*part) for part in zip(values, types, formats, strict=True)]
    return _request(
        call, [decoded[part.number - 1] if isinstance(part, Parameter) else part for part in call.arguments]
    )


def _value(value: bytes | memoryview | None, oid: int, wire_format: int) -> bytes | memoryview | str | Long | None:
    if value is None or (oid == BYTEA and wire_format == BINARY):
        return value
    if isinstance(value, memoryview):
        return Long(value)
    if b"\0" in value:
        raise InvalidArgument("a text can't contain the zero byte")
    return decode_text(value)


def _request(call: Call, arguments: Sequence[Image | None]) -> Request:
    for index, argument in enumerate(arguments):
        if argument is None:
            raise NullNotAllowed(f"argument {index + 1} of {call.function} is null")
    texts = [_text(argument) for argument in arguments]
    fingerprint = texts[2] if len(texts) > 2 else None
    image = b"" if arguments[0] is None else arguments[0]
    match call.function:
        case "embed_text":
            return EmbedText(texts[0], texts[1], fingerprint)
        case "embed_image":
            return EmbedImage(image, texts[1], fingerprint)
        case "caption_image":
            language, prompt = (texts[index] if len(texts) > index else "" for index in (3, 4))
            return CaptionImage(image, texts[1], fingerprint or None, language or None, prompt or None)
        case _:
            return DescribeModel(texts[0])


def _text(argument: Image | None) -> str:
    if isinstance(argument, Long):
        return argument.beginning(MAX_TEXT + 1)
    return argument if isinstance(argument, str) else ""
