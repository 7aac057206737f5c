"""One logged-in connection: messages in, answers out, in order. Pure: no socket, no model, no clock.

`next` gives the next call that must be answered elsewhere; until `answer` or `fail` is called nothing further is read.
After an error everything up to Sync is discarded, as the extended protocol wants it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from thanopg.errors import NotSupported, ProtocolViolation, SyntaxNotUnderstood, ThanopgError, TransactionAborted
from thanopg.service import backend, frontend
from thanopg.service.backend import Column, Status
from thanopg.service.grammar import parse
from thanopg.service.prepared import Portal, Portals, Prepared, Statements
from thanopg.service.reader import Packet, PacketReader
from thanopg.service.request import Answer, Request, bound_request, literal_request, parameter_types
from thanopg.service.statement import INT4, TEXT, Call, Fixed, Forget, Statement, Transaction

MAX_STEPS: Final = 20
"""messages and statements that are worked off before others get their turn"""
STEP_BYTES: Final = 128
"""so much of a message counts as one more step: a long query takes long to read"""


class Goodbye:
    """Send what there is and close."""


class Session:
    """Feed the reader, ask `next` until it gives None, send what `take` gives."""

    def __init__(self, reader: PacketReader) -> None:
        self._reader = reader
        self._status: Status = "I"
        self._output = bytearray()
        self._statements = Statements()
        self._portals = Portals()
        self._queue: deque[Statement] = deque()
        self._simple = False
        """are we inside a simple query"""
        self._discarding = False
        self.more = False
        self._running: tuple[Column, bool] | None = None
        """column of the call that is out, and whether the row description goes with it"""

    @property
    def busy(self) -> bool:
        """Is a call out, waiting for `answer` or `fail`?"""
        return self._running is not None

    def take(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        return output

    def next(self) -> Request | Goodbye | None:
        """The next call to be answered; None: wait for more bytes, or for the call that is out.

        With `more` set it stopped early, so that others get their turn, and wants to be asked again.
        """
        self.more = False
        steps = 0
        while steps < MAX_STEPS:
            steps += 1
            if self._running is not None:
                return None
            try:
                packet = None if self._simple else self._reader.message()
            except ProtocolViolation as error:
                self.end(error)
                return Goodbye()
            if packet is None and not self._simple:
                return None
            steps += len(packet.body) // STEP_BYTES if packet is not None else 0
            try:
                request = self._next_in_query() if packet is None else self._packet(packet)
            except ThanopgError as error:
                self._fail(error)
            else:
                if request is not None:
                    return request
        self.more = True
        return None

    def answer(self, answer: Answer) -> None:
        """The call that is out succeeded."""
        assert self._running is not None
        column, described = self._running
        self._running = None
        for notice in answer.notices:
            self._output += backend.notice_response(notice)
        if described:
            self._output += backend.row_description(column)
        self._output += backend.data_row(answer.value)
        self._output += _SELECT_1

    def fail(self, error: ThanopgError) -> None:
        """The call that is out failed."""
        assert self._running is not None
        self._running = None
        self._fail(error)

    def end(self, error: ThanopgError) -> None:
        """The service ends the connection."""
        self._output += backend.error_response(error, "FATAL")

    # --- messages --------------------------------------------------------------------------------------------------

    def _packet(self, packet: Packet) -> Request | Goodbye | None:
        if self._discarding and packet.kind not in _HEEDED:
            return None
        if packet.kind in frontend.SIMPLE:
            self._simple = True  # so that an error in its text ends with ReadyForQuery
        if packet.refused is not None:
            raise packet.refused
        match frontend.decode(packet.kind, packet.body):
            case frontend.Query(text):
                self._query(text)
            case frontend.Parse() as message:
                self._parse(message)
            case frontend.Bind() as message:
                self._bind(message)
            case frontend.Describe(portal, name):
                self._describe(portal, name)
            case frontend.Execute(name):
                return self._execute(name)
            case frontend.Close(portal, name):
                (self._portals if portal else self._statements).drop(name)
                self._output += backend.CLOSE_COMPLETE
            case frontend.Sync():
                self._discarding = False
                self._ready()
            case frontend.Terminate():
                return Goodbye()
            case frontend.FunctionCall():
                raise NotSupported("function calls outside of SQL are not accepted by the embedding service")
            case frontend.Flush() | frontend.CopyData():
                pass
        return None

    def _query(self, text: frontend.Text) -> None:
        self._statements.drop("")
        self._portals.drop("")
        statements = parse(text)
        if not statements:
            self._output += backend.EMPTY_QUERY
        self._queue.extend(statements)

    def _next_in_query(self) -> Request | None:
        if not self._queue:
            self._simple = False
            self._ready()
            return None
        statement = self._queue.popleft()
        self._check_transaction(statement)
        if isinstance(statement, Call):
            request = literal_request(statement)
            self._running = (Column(statement.column, TEXT), True)
            return request
        if isinstance(statement, Fixed):
            self._output += backend.row_description(Column(statement.column, statement.oid))
        self._perform(statement, 0)
        return None

    def _parse(self, message: frontend.Parse) -> None:
        self._statements.make_room(message.name, len(message.query))
        statements = parse(message.query)
        if len(statements) > 1:
            raise SyntaxNotUnderstood("cannot insert multiple commands into a prepared statement")
        statement = statements[0] if statements else None
        if statement is not None:
            self._check_transaction(statement)
        types = parameter_types(statement, message.types) if isinstance(statement, Call) else ()
        self._statements.put(message.name, Prepared(statement, types, len(message.query)))
        self._output += backend.PARSE_COMPLETE

    def _bind(self, message: frontend.Bind) -> None:
        prepared = self._statements.get(message.statement)
        statement = prepared.statement
        request = None
        if isinstance(statement, Call):
            request = bound_request(statement, prepared.types, message)
        elif message.values:
            raise ProtocolViolation(f"the statement has 0 parameters, and {len(message.values)} were bound")
        result_format = message.result_formats[0] if message.result_formats else 0
        if len(message.result_formats) > 1 or result_format not in (0, 1):
            raise ProtocolViolation("unsupported result formats")
        self._portals.put(message.portal, Portal(prepared, request, result_format))
        self._output += backend.BIND_COMPLETE

    def _describe(self, portal: bool, name: str) -> None:
        prepared = self._portals.get(name).prepared if portal else self._statements.get(name)
        result_format = self._portals.get(name).result_format if portal else 0
        if not portal:
            self._output += backend.parameter_description(prepared.types)
        match prepared.statement:
            case Call(column=column):
                self._output += backend.row_description(Column(column, TEXT), result_format)
            case Fixed(column=column, oid=oid):
                self._output += backend.row_description(Column(column, oid), result_format)
            case _:
                self._output += backend.NO_DATA

    def _execute(self, name: str) -> Request | None:
        portal = self._portals.get(name)
        statement = portal.prepared.statement
        if statement is None:
            self._output += backend.EMPTY_QUERY
            return None
        self._check_transaction(statement)
        if portal.done:
            self._output += backend.command_complete("SELECT 0")
            return None
        portal.done = isinstance(statement, Call | Fixed)
        if portal.request is not None:
            assert isinstance(statement, Call)
            self._running = (Column(statement.column, TEXT), False)
            return portal.request
        self._perform(statement, portal.result_format)
        return None

    # --- statements that need no model -----------------------------------------------------------------------------

    def _perform(self, statement: Statement, result_format: int) -> None:
        assert not isinstance(statement, Call)
        tag = statement.tag
        if isinstance(statement, Fixed):
            binary = statement.oid == INT4 and result_format == 1
            value = int(statement.value).to_bytes(4, "big") if binary else statement.value.encode()
            self._output += backend.data_row(value)
        elif isinstance(statement, Forget):
            self._statements.forget(statement.name)
        elif isinstance(statement, Transaction):
            tag = self._transact(tag)
        self._output += backend.command_complete(tag)

    def _transact(self, tag: str) -> str:
        if tag == "COMMIT" and self._status == "E":
            tag = "ROLLBACK"
        if tag == "ROLLBACK TO":
            self._status = "T"
            return "ROLLBACK"
        self._status = "T" if tag in ("BEGIN", "START TRANSACTION") else "I"
        return tag

    def _check_transaction(self, statement: Statement) -> None:
        leaves = isinstance(statement, Transaction) and statement.tag in ("COMMIT", "ROLLBACK", "ROLLBACK TO")
        if self._status == "E" and not leaves:
            raise TransactionAborted

    # --- small parts -------------------------------------------------------------------------------------------------

    def _fail(self, error: ThanopgError) -> None:
        self._output += backend.error_response(error)
        if self._status == "T":
            self._status = "E"
        if self._simple:
            self._queue.clear()  # the query ends; `next` makes it ready
        else:
            self._discarding = True

    def _ready(self) -> None:
        """End of a query or Sync: nothing large is kept from here on, so what it held is given back."""
        if self._status == "I" or self._reader.held:
            self._portals.clear()
        self._statements.drop_large()
        self._reader.release()
        self._output += backend.ready_for_query(self._status)


_SELECT_1: Final = backend.command_complete("SELECT 1")
_HEEDED: Final = frozenset(b"SX")
