"""A PostgreSQL server as initdb leaves it: its superuser, and nothing of ours. What runs elsewhere starts like this."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.contrib import Contrib
from tests.databases import make_home
from thanopg.database.account import server_account
from thanopg.database.binaries import Binaries, wheel_binaries
from thanopg.database.cluster import SUPERUSER, create_cluster, write_settings
from thanopg.database.home import Home, Secrets
from thanopg.database.launch import launch

STOP_SECONDS = 30
INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}


@dataclass(frozen=True)
class PlainServer:
    place: Home
    binaries: Binaries
    secrets: Secrets
    """only the superuser's password means anything here"""
    port: int
    """of its socket, and of TCP on loopback when it was asked for"""

    def url(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        secret = quote(password or self.secrets.superuser, safe="")
        host = quote(str(self.place.socket_directory), safe="")
        return f"postgresql://{user}:{secret}@/{database}?host={host}&port={self.port}"


@contextmanager
def plain_server(*, major: int = 18, contrib: bool = False, port: int | None = None) -> Iterator[PlainServer]:
    """`contrib`: it has dblink. `port`: TCP on loopback."""
    home = make_home()
    place, account = Home(home), server_account(home / "data18")
    place.make(account)
    place.furnish(account)
    secrets = place.ensure_secrets()
    root = wheel_binaries().root.with_name(INSTALLATIONS[major])
    binaries = Binaries(root=_with_contrib(root, home, major) if contrib else root, major=major)
    create_cluster(place, binaries, account, secrets, fast=True)
    write_settings(place, fast=True)
    settings = {
        "unix_socket_directories": str(place.socket_directory),
        "listen_addresses": "127.0.0.1" if port else "",
        "port": str(port or 5432),
        "dynamic_library_path": f"$libdir:{place.library}",
    }
    process = launch(place, binaries, account, settings)
    try:
        yield PlainServer(place, binaries, secrets, port or 5432)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
        shutil.rmtree(home)


def _with_contrib(root: Path, home: Path, major: int) -> Path:
    """A copy of the installation that has the extensions as its own: before version 18 there is no other way."""
    copy, contrib = home / "postgresql" / root.parent.name / root.name, Contrib(major)
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("include", "*.a", "pgxs"))
    libraries = root.parent.with_name(root.parent.name + ".libs")  # those that the wheel was repaired with
    if libraries.is_dir():
        shutil.copytree(libraries, copy.parent.with_name(libraries.name))
    shutil.copytree(contrib.share / "extension", copy / "share" / "postgresql" / "extension", dirs_exist_ok=True)
    shutil.copytree(contrib.libraries, copy / "lib" / "postgresql", dirs_exist_ok=True)  # libpq is the wheel's own
    return copy
