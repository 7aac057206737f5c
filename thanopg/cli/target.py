"""Which database a verb works on: the one that is named, or the embedded server's of the home."""

from __future__ import annotations

from thanopg.config import Settings
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable


def database_url(settings: Settings) -> str:
    """Raises DatabaseUnavailable when none is named and the embedded server does not run, ServerStartError."""
    if settings.database_url is not None:
        return settings.database_url
    server = EmbeddedServer(settings.home)
    if not server.running:
        raise DatabaseUnavailable(
            f"the server of {settings.home} is not running",
            hint="start it with: thanopg up --detach; or name another database: --database-url",
        )
    return server.url


def command(settings: Settings, verb: str) -> str:
    """How to call a verb for this home, as people can paste it."""
    from thanopg.config import default_home

    home = "" if settings.home == default_home() else f"--home {quoted(str(settings.home))} "
    return f"thanopg {home}{verb}"


def quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
