"""Databases of a test's own, and homes for servers of a test's own."""

from __future__ import annotations

import os
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import sql

from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.database.steps import only, run


@dataclass(frozen=True)
class Database:
    """One test's own database. `url` is its owner, no superuser; `superuser_url` is one."""

    name: str
    url: str
    superuser_url: str


def make_home() -> Path:
    """A short path that the server's account may pass through (pytest's own directories may not be entered as root)."""
    home = Path(tempfile.mkdtemp(prefix="thanopg-"))
    if os.geteuid() == 0:
        home.chmod(0o711)
    return home


def in_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


class clone:
    """`with clone(server, template) as database`: made from the template, dropped at the end, whoever is connected."""

    def __init__(self, server: EmbeddedServer, template: str) -> None:
        self.maintenance_url = in_database(server.superuser_url, "postgres")
        self.template = template
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.database = Database(name, in_database(server.url, name), in_database(server.superuser_url, name))

    def __enter__(self) -> Database:
        self._run("CREATE DATABASE {} TEMPLATE {} OWNER {}", self.database.name, self.template, OWNER)
        if self.template != "template0":
            with connect(self.database.superuser_url, autocommit=True) as connection:
                run(connection, only("search_path"))  # a clone does not inherit it
        return self.database

    def __exit__(self, *_: object) -> None:
        self._run("DROP DATABASE {} WITH (FORCE)", self.database.name)

    def _run(self, statement: str, *names: str) -> None:
        with connect(self.maintenance_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
