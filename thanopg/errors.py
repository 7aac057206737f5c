"""Every error of thanopg, with its SQLSTATE and hint; the docstring is the message when none is given.

The same three things (SQLSTATE, one line, hint) reach psql, the notebook and the command line.
"""

from __future__ import annotations

import unicodedata
from typing import Literal


class ThanopgError(Exception):
    """internal error"""

    sqlstate: str = "XX000"
    default_hint: str = ""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        """`message`: lower case, what was expected and what came, no full stop. `hint`: the next step."""
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.hint = self.default_hint if hint is None else hint

    @property
    def message(self) -> str:
        return str(self.args[0])


# --- what the caller said ------------------------------------------------------------------------------------------


class InvalidArgument(ThanopgError):
    """invalid argument"""

    sqlstate = "22023"


class SyntaxNotUnderstood(ThanopgError):
    """syntax error"""

    sqlstate = "42601"

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        statement: str = "",
        offset: int | None = None,
        length: int = 1,
    ) -> None:
        """`offset` and `length`, in characters, say which part of `statement` is meant."""
        super().__init__(message, hint=hint)
        self.statement = statement
        self.offset = offset
        self.length = length

    def underlined(self) -> str:
        """The line that is meant with carets under the place; empty where no place is known."""
        if self.offset is None or not self.statement:
            return ""
        return underline(self.statement, self.offset, self.length)


class StatementRefused(SyntaxNotUnderstood):
    """the database refused the statement"""

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str,
        detail: str = "",
        hint: str = "",
        statement: str = "",
        offset: int | None = None,
    ) -> None:
        """What the server said, with the place in the statement as it was given."""
        super().__init__(message, hint=hint, statement=statement, offset=offset)
        self.sqlstate = sqlstate
        self.detail = detail


class NotSupported(ThanopgError):
    """not supported"""

    sqlstate = "0A000"


class LimitExceeded(ThanopgError):
    """limit exceeded"""

    sqlstate = "54000"


# --- models --------------------------------------------------------------------------------------------------------


class UnknownModel(ThanopgError):
    """unknown model"""

    sqlstate = "42704"
    default_hint = (
        "list the bases with: thanopg model list; or give a source: architecture/weights, hf-hub:…, local-dir:…, "
        "transformers:…, sentence-transformers:…"
    )


class ModelUnavailable(ThanopgError):
    """the model's weights could not be loaded"""

    sqlstate = "58P01"


class ModelFailed(ThanopgError):
    """the model failed on every row of a batch"""

    sqlstate = "58000"
    default_hint = "see the log for its error; if memory ran out, try a smaller --batch-size"


class FingerprintMismatch(ThanopgError):
    """the model's fingerprint is not the registered one"""

    sqlstate = "55000"
    default_hint = (
        "worker, service and database must use the same weights; to move to new ones: thanopg model add --replace"
    )


# --- the database and the service ----------------------------------------------------------------------------------


class DatabaseUnavailable(ThanopgError):
    """could not connect to the database"""

    sqlstate = "08001"


class InstallError(ThanopgError):
    """could not install into this database"""

    sqlstate = "55000"


class ServerStartError(ThanopgError):
    """could not start the embedded server"""

    sqlstate = "58000"


class ServiceUnavailable(ThanopgError):
    """could not reach the embedding service"""

    sqlstate = "08001"
    default_hint = "start it with: thanopg up, or thanopg serve"


class ProtocolViolation(ThanopgError):
    """protocol violation"""

    sqlstate = "08P01"


class AlreadyRunning(ThanopgError):
    """thanopg is already running on this home"""

    sqlstate = "55006"
    default_hint = "stop it with: thanopg down"


class ProcessStartError(ThanopgError):
    """a process of thanopg could not be started"""

    sqlstate = "58000"


class InvalidPassword(ThanopgError):
    """password authentication failed"""

    sqlstate = "28P01"


class TooBusy(ThanopgError):
    """the embedding service has too many requests waiting"""

    sqlstate = "53300"
    default_hint = "try again in a moment, or run another service"


class DeadlineExceeded(ThanopgError):
    """the embedding service did not answer in time"""

    sqlstate = "57014"


class ServiceStartError(ThanopgError):
    """could not start the embedding service"""

    sqlstate = "58000"


class ServiceStopping(ThanopgError):
    """the embedding service is shutting down"""

    sqlstate = "57P01"


class CallCancelled(ThanopgError):
    """canceling statement due to user request"""

    sqlstate = "57014"


class NullNotAllowed(ThanopgError):
    """null value not allowed"""

    sqlstate = "22004"


class InvalidEncoding(ThanopgError):
    """invalid byte sequence for encoding UTF8"""

    sqlstate = "22021"


class TransactionAborted(ThanopgError):
    """current transaction is aborted, commands ignored until end of transaction block"""

    sqlstate = "25P02"


class UnknownStatement(ThanopgError):
    """no such prepared statement"""

    sqlstate = "26000"


class UnknownPortal(ThanopgError):
    """no such portal"""

    sqlstate = "34000"


class DuplicateStatement(ThanopgError):
    """prepared statement already exists"""

    sqlstate = "42P05"


class NoCatalog(ThanopgError):
    """the embedding service has no catalogue"""

    sqlstate = "42704"


# --- images and texts ----------------------------------------------------------------------------------------------

ImageFault = Literal[
    "missing",  # no such file, yet: a disk may come back, so it is tried again
    "unreadable",  # an input/output error: tried again
    "forbidden",  # outside the image root or the allowed hosts, not a regular file, no permission
    "unreachable",  # a host that does not answer, or not now: tried again
    "not_found",  # a host says that there is no such picture
    "unsupported",  # a scheme or a form of source that is not accepted
    "too_large",  # more bytes or pixels than the limit
    "not_an_image",  # no accepted format recognises the bytes
    "truncated",  # an image that ends too early or is damaged
    "decoder_timeout",  # decoding took longer than the limit
    "decoder_died",  # the decoding process was killed, ran out of memory or crashed
    "model_failed",  # the model raised on this row, and only on this one: tried again
    "not_finite",  # the model answered with NaN, infinity or a zero vector
    "empty_text",  # a text without a word
    "unusable_caption",  # the model wrote nothing, or attributes that are no JSON object
    "adoption_mismatch",  # the vector that was there is not the one that the model makes
    "write_refused",  # the database refused what was made of this row, a trigger of the table's perhaps: tried again
    "lost_lease",  # three workers died while this row was their only one
]

TRANSIENT_FAULTS: frozenset[ImageFault] = frozenset(
    {"missing", "unreadable", "unreachable", "model_failed", "write_refused"}
)


class ImageError(ThanopgError):
    """the image or the text could not be used"""

    sqlstate = "22000"

    def __init__(self, fault: ImageFault, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.fault: ImageFault = fault

    @property
    def permanent(self) -> bool:
        return self.fault not in TRANSIENT_FAULTS

    def __reduce__(self) -> tuple[object, ...]:  # it crosses from the decoding process to ours
        return (type(self), (self.fault, self.message))


class ImageRootUnavailable(ThanopgError):
    """the image root can't be read"""

    sqlstate = "58030"
    default_hint = "is the disk mounted and readable? --image-root or THANOPG_IMAGE_ROOT says where images are"


class DecoderUnavailable(ThanopgError):
    """no decoding process could be started"""

    sqlstate = "53000"
    default_hint = "is memory or the number of processes exhausted?"


def explain(error: ThanopgError) -> list[str]:
    """What people see of an error: one line, the place in the statement, detail and hint."""
    place = error.underlined() if isinstance(error, SyntaxNotUnderstood) else ""
    lines = [f"error: {' '.join(error.message.split())}", *place.splitlines()]
    for name, text in (("detail", getattr(error, "detail", "")), ("hint", error.hint)):
        lines += [f"{name}: {' '.join(text.split())}"] if text else []
    return lines


def underline(statement: str, offset: int, length: int) -> str:
    """One line of `statement` and under it carets; signs twice as wide as others take two."""
    offset = max(0, min(offset, len(statement)))
    begin = statement.rfind("\n", 0, offset) + 1
    end = statement.find("\n", offset)
    line = statement[begin : len(statement) if end < 0 else end].rstrip("\r")
    meant = line[offset - begin :][: max(1, length)] or " "
    before = "".join("\t" if sign == "\t" else " " * _width(sign) for sign in line[: offset - begin])
    return f"{line}\n{before}{'^' * max(1, sum(map(_width, meant)))}"


def _width(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
