"""One user's session: statements in, results out. The only way into this room for shells.

with Session(url, settings) as session:
    result = session.run("SELECT * FROM unsplash_data LIMIT $n", parameters={"n": 5})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from types import TracebackType
from typing import TYPE_CHECKING

from thanopg.config import Settings
from thanopg.errors import ImageError, ImageRootUnavailable, StatementRefused, SyntaxNotUnderstood
from thanopg.images.remote.reader import RemoteReader
from thanopg.images.source import URL, ImageReader
from thanopg.models.bases import BASES
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder
from thanopg.thanosql.access import Access, Answer
from thanopg.thanosql.building import Builder
from thanopg.thanosql.converting import Converter
from thanopg.thanosql.copying import Copier
from thanopg.thanosql.lexer import Lexer
from thanopg.thanosql.models import delete_model, get_model
from thanopg.thanosql.parser import parse
from thanopg.thanosql.plan import BuildPlan, CopyPlan, DeletePlan, GetPlan, Plan, PrintPlan, RowsPlan
from thanopg.thanosql.planner import make_plan
from thanopg.thanosql.reading import read_registry
from thanopg.thanosql.registry import Registry
from thanopg.thanosql.result import Images, Message, OnProgress, Picture, Result, Table, no_progress
from thanopg.thanosql.rows import RowsRunner, with_hint
from thanopg.thanosql.tree import Sql, Verbatim
from thanopg.thanosql.vocabulary import KEYWORDS, OPTIONS, did_you_mean

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
        self._settings = settings
        self._on_progress = on_progress
        self._library = library
        self._most_pictures = most_pictures
        remote = RemoteReader(settings.remote, settings.limits)
        self._reader = ImageReader(settings.image_root, settings.limits, remote=remote)
        self._model_directory = model_directory or settings.home / "models"
        self._url = url
        self._access = Access(url, self.read_picture)

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
        if self._access.connection.closed:
            self._access = Access(self._url, self.read_picture)
        self._access.notices.clear()
        given, warnings = dict(parameters or {}), list[str]()
        tree = parse(statement)
        ordinary = isinstance(tree, Sql) and all(isinstance(piece, Verbatim) for piece in tree.pieces)
        try:
            registry = Registry() if ordinary else read_registry(self._access)
            plan = make_plan(statement, tree, registry, given, dict(frames or {}), warnings)
            return self._carry_out(plan, statement, given, warnings)
        except StatementRefused as error:
            if self._access.in_transaction or self._access.connection.closed:
                raise
            raise with_hint(error, read_registry(self._access)) from error.__cause__

    def read_picture(self, picture: Picture | str | bytes) -> bytes:
        """The bytes of an image file below the image root, of a data: URI, or as given. Raises ImageError."""
        source = picture.source if isinstance(picture, Picture) else picture
        if source is None:
            raise ImageError("missing", "the row has no picture")
        return self._reader.read(source).data

    def is_there(self, picture: Picture) -> bool:
        """Whether its path leads to a file below the image root; what is no path is only known by reading it."""
        if picture.path is None or not isinstance(picture.source, str):
            return True
        try:
            self._reader.check(picture.source)
        except (ImageError, ImageRootUnavailable):
            return False
        return True

    def vocabulary(self) -> Vocabulary:
        """What is there now, for completion."""
        registry = read_registry(self._access)
        return Vocabulary(
            keywords=KEYWORDS,
            options=tuple(sorted({key for options in OPTIONS.values() for key in options})),
            models=tuple(model.name for model in registry.models),
            bases=tuple(BASES),
            tables=tuple(table.name for table in registry.tables),
            columns=tuple(sorted({column for table in registry.tables for column in table.columns})),
        )

    def is_complete(self, text: str) -> bool:
        """Whether a prompt should run `text`: no quote, comment or parenthesis is open."""
        lexer, depth, at = Lexer(text), 0, 0
        try:
            while (token := lexer.sql(at)).kind != "end":
                depth += token.is_sign("(") - token.is_sign(")")
                at = token.end
        except SyntaxNotUnderstood:
            return False
        return depth <= 0

    def close(self) -> None:
        self._access.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- carrying out ----------------------------------------------------------------------------------------------

    def _carry_out(self, plan: Plan, statement: str, given: Mapping[str, object], warnings: list[str]) -> Result:
        notes: list[str] = []
        match plan:
            case RowsPlan():
                answer = self._rows(plan, statement, given, notes)
                if not answer.has_rows:
                    return Message(status=answer.status, notes=tuple(notes), warnings=self._said(warnings))
                return Table(
                    columns=answer.columns,
                    rows=tuple(answer.rows),
                    image_columns=tuple(name for name in answer.columns if name in IMAGE_COLUMNS),
                    status=answer.status,
                    notes=tuple(notes),
                    warnings=self._said(warnings),
                )
            case PrintPlan():
                answer = self._rows(plan.rows, statement, given, notes)
                return self._images(plan, answer, statement, notes, warnings)
            case CopyPlan():
                done = Copier(self._access, self._settings.image_root, self._on_progress).run(plan, statement)
            case GetPlan():
                done = get_model(self._access, plan, statement)
            case DeletePlan():
                done = delete_model(self._access, plan, statement)
            case BuildPlan():
                answer = self._rows(plan.rows, statement, given, notes)
                builder = Builder(self._access, self._settings, self._model_directory, self._reader, self._on_progress)
                done = builder.run(plan, answer, statement)
        return Message(text=done.text, status=done.status, notes=(*notes, *done.notes), warnings=self._said(warnings))

    def _rows(self, plan: RowsPlan, statement: str, given: Mapping[str, object], notes: list[str]) -> Answer:
        converter = Converter(self._access, self._settings, self._reader, self._models, self._on_progress)
        for step in plan.converts:
            notes += converter.run(step, statement, given)
        return RowsRunner(self._access).run(plan, statement, given)

    def _images(self, plan: PrintPlan, answer: Answer, statement: str, notes: list[str], warnings: list[str]) -> Images:
        column = _image_column(plan, answer, statement)
        at = answer.columns.index(column)
        rows = answer.rows if self._most_pictures is None else answer.rows[: self._most_pictures]
        if len(rows) < len(answer.rows):
            notes.append(f"{len(rows)} of {len(answer.rows)} pictures are shown")
        return Images(
            column=column,
            pictures=tuple(self._picture(row[at]) for row in rows),
            total=len(answer.rows),
            notes=tuple(notes),
            warnings=self._said(warnings),
        )

    def _picture(self, source: object) -> Picture:
        if source is None or isinstance(source, bytes | bytearray | memoryview):
            return Picture(source=None if source is None else bytes(source), path=None)
        text = str(source)
        is_path = not URL.match(text) and text[:5].lower() != "data:"
        return Picture(source=text, path=PurePath(self._settings.image_root, text) if is_path else None)

    def _models(self) -> ModelLibrary:
        self._library = self._library or ModelLibrary(self._settings.device, partial(load_embedder, engine="auto"))
        return self._library

    def _said(self, warnings: list[str]) -> tuple[str, ...]:
        """Ours, and the notices of the server."""
        return (*dict.fromkeys(warnings), *self._access.notices)


IMAGE_COLUMNS = ("image_path", "image", "filepath", "img_path")


def _image_column(plan: PrintPlan, answer: Answer, statement: str) -> str:
    """The one that is named, or image_path, or what it was called before; or the only column that there is."""
    wanted = [plan.image_column, plan.image_column.lower()] if plan.image_column else list(IMAGE_COLUMNS)
    for name in wanted:
        if name in answer.columns:
            return name
    if plan.image_column is None and len(answer.columns) == 1:
        return answer.columns[0]
    raise SyntaxNotUnderstood(
        f"the query of PRINT has no column {plan.image_column or 'image_path'}",
        hint=did_you_mean(wanted[0], answer.columns, what="its columns") + "; OPTIONS(image_col='…') names the column",
        statement=statement,
        offset=plan.at.start,
        length=plan.at.end - plan.at.start,
    )
