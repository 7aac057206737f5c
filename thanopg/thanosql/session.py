"""One user's session: statements in, results out. The only way into this room for shells.

with Session(url, settings) as session:
    result = session.run("SELECT * FROM unsplash_data LIMIT $n", parameters={"n": 5})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from thanopg.config import Settings
from thanopg.models.library import ModelLibrary
from thanopg.thanosql.result import OnProgress, Picture, Result, no_progress

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Words that a prompt can complete."""

    keywords: tuple[str, ...]
    options: tuple[str, ...]
    models: tuple[str, ...]
    bases: tuple[str, ...]
    tables: tuple[str, ...]
    columns: tuple[str, ...]


class Session:
    """A connection to one database, and what ThanoSQL needs around it; a context manager, for one thread."""

    def __init__(
        self,
        url: str,
        settings: Settings,
        *,
        on_progress: OnProgress = no_progress,
        library: ModelLibrary | None = None,
        most_pictures: int | None = None,
        model_directory: Path | None = None,
    ) -> None:
        """Connects. Raises DatabaseUnavailable, InstallError when thanopg is not installed there.

        `settings.image_root`: where paths begin, of pictures and in COPY. `most_pictures`: PRINT shows no more (None:
        all). `model_directory`: where BUILD MODEL keeps what it makes; default: models in `settings.home`.
        """
        raise NotImplementedError

    def run(
        self,
        statement: str,
        *,
        parameters: Mapping[str, object] | None = None,
        frames: Mapping[str, pd.DataFrame] | None = None,
    ) -> Result:
        """One statement, ThanoSQL or SQL.

        `$name` in it stands for `parameters[name]`, always as a value: text, numbers, truth values, None, lists of
        them, anything psycopg can send. `COPY t FROM $name` reads `frames[name]`.
        Raises SyntaxNotUnderstood (42601, or with StatementRefused the server's SQLSTATE), both with the place in
        `statement`; other ThanopgErrors for what is not about the statement. Ctrl-C cancels what runs in the database.
        """
        raise NotImplementedError

    def read_picture(self, picture: Picture | str | bytes) -> bytes:
        """The bytes of an image file below the image root, of a data: URI, or as given. Raises ImageError."""
        raise NotImplementedError

    def vocabulary(self) -> Vocabulary:
        """What is there now, for completion."""
        raise NotImplementedError

    def is_complete(self, text: str) -> bool:
        """Whether a prompt should run `text`: no quote, comment or parenthesis is open."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
