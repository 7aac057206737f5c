"""Which database a notebook talks to: the one it names, THANOPG_DATABASE_URL, or the embedded server; one session.

The session is opened by the first statement and again after the connection was lost. Passwords are never shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from thanopg.config import ImageLimits, Settings
from thanopg.errors import DatabaseUnavailable, ThanopgError
from thanopg.notebook.embedded import join_or_start
from thanopg.thanosql.result import OnProgress

if TYPE_CHECKING:
    from thanopg.thanosql.session import Session

MOST_PICTURES = 100
LOST = frozenset({"08003", "08006", "57P01", "57P02", "57P03"})


class Connector:
    """`say` hears what the user should know."""

    def __init__(
        self, *, say: Callable[[str], None], on_progress: OnProgress, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._say = say
        self._on_progress = on_progress
        self._environ = environ
        self._url: str | None = None
        self._token: str | None = None
        self._session: Session | None = None
        self.limits = ImageLimits()

    def use_url(self, url: str) -> None:
        """Connects, to say now what is wrong with it. Raises DatabaseUnavailable, InstallError."""
        self.close()
        self._url = url
        self.session()
        named = conninfo_to_dict(url)
        where = f"{named.get('host') or 'localhost'}:{named.get('port') or 5432}"
        self._say(f"connected to {named.get('dbname') or named.get('user') or 'the database'} on {where}")

    def use_token(self, token: str) -> None:
        """The password of databases whose URL has none."""
        if self._url is not None:
            self.close()
        self._token = token

    def session(self) -> Session:
        """Raises DatabaseUnavailable, InstallError, ServerStartError, ProcessStartError."""
        if self._session is None:
            from thanopg.thanosql.session import Session

            url, settings = self._where()
            self.limits = settings.limits
            self._session = Session(url, settings, on_progress=self._on_progress, most_pictures=MOST_PICTURES)
        return self._session

    def forget_if_lost(self, error: ThanopgError) -> None:
        """After a lost connection the next statement opens another."""
        if isinstance(error, DatabaseUnavailable) or error.sqlstate in LOST:
            self.close()

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _where(self) -> tuple[str, Settings]:
        settings = Settings.from_environment(self._environ, database_url=self._url)
        if settings.database_url is not None:
            return self._with_password(settings.database_url), settings
        url, root = join_or_start(settings, say=self._say)
        if root is not None and root != settings.image_root and not self._environ.get("THANOPG_IMAGE_ROOT"):
            self._say(f"image paths are below {root}, as the running worker has it")
            settings = replace(settings, image_root=Path(root))
        return url, settings

    def _with_password(self, url: str) -> str:
        if self._token is None:
            return url
        try:
            return url if conninfo_to_dict(url).get("password") else make_conninfo(url, password=self._token)
        except ProgrammingError as error:
            raise DatabaseUnavailable(
                "the database URL cannot be read", hint="write it as postgresql://user:password@host:5432/database"
            ) from error.with_traceback(None)
