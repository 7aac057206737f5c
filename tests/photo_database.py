"""A database with the tutorial's table in small, its pictures embedded with the bundled model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.make_tutorial_data import make
from tests.databases import clone
from thanopg.config import Settings
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.models.library import ModelLibrary
from thanopg.thanosql.session import Session

ROWS = 12
COPY = 'COPY unsplash_data FROM "tutorial_data/unsplash_data/unsplash.csv"'
CONVERT = 'CONVERT USING tutorial_search_clip OPTIONS(table_name="unsplash_data") AS SELECT * FROM unsplash_data'


@dataclass(frozen=True)
class Photos:
    url: str
    root: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"THANOPG_DATABASE_URL": self.url, "THANOPG_IMAGE_ROOT": str(self.root)}


@contextmanager
def photo_database(server: EmbeddedServer, template: str, library: ModelLibrary, root: Path) -> Iterator[Photos]:
    """Table unsplash_data, and a damaged picture and a missing one beside the others in table broken."""
    make(ROWS, root)
    (root / "damaged.jpg").write_bytes(b"\xff\xd8\xff damaged")
    with clone(server, template) as database:
        with connect(database.url, autocommit=True) as connection:
            connection.execute(
                "SELECT create_model('tutorial_search_clip', 'clipen', source => 'bundled:catalog');"
                "CREATE TABLE broken (id int PRIMARY KEY, image_path text);"
                "INSERT INTO broken VALUES (1, 'damaged.jpg'), (2, 'missing.jpg'), (3, NULL)"
            )
        settings = Settings(home=root, image_root=root)
        with Session(database.url, settings, library=library) as session:
            session.run(COPY)
            session.run(CONVERT)
        yield Photos(database.url, root)
