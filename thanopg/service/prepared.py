"""What one connection has prepared: statements and portals by name, and the bounds on them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from thanopg.errors import DuplicateStatement, LimitExceeded, UnknownPortal, UnknownStatement
from thanopg.service.frontend import LARGE
from thanopg.service.request import Request
from thanopg.service.statement import Statement

MAX_KEPT: Final = 512
"""prepared statements, and portals, of one connection"""
MAX_KEPT_BYTES: Final = 256 * 1024
"""text of all its named statements"""


@dataclass(frozen=True, slots=True)
class Prepared:
    statement: Statement | None
    """None is the empty query"""
    types: tuple[int, ...]
    size: int


@dataclass(slots=True)
class Portal:
    prepared: Prepared
    request: Request | None
    result_format: int
    done: bool = False


class Statements:
    """Prepared statements; the one without a name is replaced by the next."""

    def __init__(self) -> None:
        self._by_name: dict[str, Prepared] = {}
        self._size = 0

    def get(self, name: str) -> Prepared:
        """Raises UnknownStatement."""
        prepared = self._by_name.get(name)
        if prepared is None:
            raise UnknownStatement(f'prepared statement "{name}" does not exist')
        return prepared

    def make_room(self, name: str, size: int) -> None:
        """May a statement of this name and text size be prepared? Raises DuplicateStatement, LimitExceeded."""
        if not name:
            self.drop("")
        elif name in self._by_name:
            raise DuplicateStatement(f'prepared statement "{name}" already exists')
        elif len(self._by_name) >= MAX_KEPT or self._size + size > MAX_KEPT_BYTES:
            raise LimitExceeded("too many or too large prepared statements", hint="deallocate some")

    def put(self, name: str, prepared: Prepared) -> None:
        self._by_name[name] = prepared
        self._size += prepared.size if name else 0

    def drop(self, name: str) -> bool:
        """Was it there?"""
        dropped = self._by_name.pop(name, None)
        if dropped is not None and name:
            self._size -= dropped.size
        return dropped is not None

    def forget(self, name: str | None) -> None:
        """What DEALLOCATE does; None is all of them. Raises UnknownStatement."""
        if name is None:
            self._by_name.clear()
            self._size = 0
        elif not self.drop(name):
            raise UnknownStatement(f'prepared statement "{name}" does not exist')

    def drop_large(self) -> None:
        """An image written into the text of the unnamed statement is not kept while the connection idles."""
        unnamed = self._by_name.get("")
        if unnamed is not None and unnamed.size > LARGE:
            self.drop("")


class Portals:
    """Bound statements; they hold the parameters, so they end with the transaction."""

    def __init__(self) -> None:
        self._by_name: dict[str, Portal] = {}

    def get(self, name: str) -> Portal:
        """Raises UnknownPortal."""
        portal = self._by_name.get(name)
        if portal is None:
            raise UnknownPortal(f'portal "{name}" does not exist')
        return portal

    def put(self, name: str, portal: Portal) -> None:
        """Raises LimitExceeded."""
        if name not in self._by_name and len(self._by_name) >= MAX_KEPT:
            raise LimitExceeded("too many portals", hint="close some")
        self._by_name[name] = portal

    def drop(self, name: str) -> None:
        self._by_name.pop(name, None)

    def clear(self) -> None:
        self._by_name.clear()
