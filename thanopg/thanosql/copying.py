"""COPY: a table made of, replaced by, or added to from what a file holds; all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thanopg.errors import InvalidArgument, SyntaxNotUnderstood
from thanopg.thanosql.access import Access
from thanopg.thanosql.files import Data, read_source
from thanopg.thanosql.fragment import Ours, assemble, quoted, quoted_path
from thanopg.thanosql.plan import CopyPlan
from thanopg.thanosql.result import Message, OnProgress, Progress
from thanopg.thanosql.tables import new_table
from thanopg.thanosql.tree import Span
from thanopg.thanosql.vocabulary import did_you_mean

PROGRESS_ROWS = 10_000


@dataclass
class Copier:
    """Carries out the COPY statements of a session."""

    access: Access
    image_root: Path
    on_progress: OnProgress

    def run(self, plan: CopyPlan, statement: str) -> Message:
        if plan.existing is not None and plan.if_exists == "fail":
            raise _error(
                f"table {plan.existing.name} exists",
                statement,
                plan.at,
                "OPTIONS(overwrite=True) replaces it, OPTIONS(if_exists='append') adds the rows to it",
            )
        try:
            data = read_source(plan.source, image_root=self.image_root)
        except InvalidArgument as error:
            raise _error(error.message, statement, plan.source_at, error.hint) from error
        with self.access.errors(statement, assemble((Ours("", plan.source_at),))):
            if plan.existing is not None and plan.if_exists == "append":
                return self._append(plan, data, statement)
            return self._make(plan, data)

    def _make(self, plan: CopyPlan, data: Data) -> Message:
        with new_table(self.access, plan.table) as table:
            columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in zip(data.columns, data.types, strict=True))
            self.access.execute(f"CREATE TABLE {table.draft_name} ({columns})")
            self._fill(table.draft_name, data, plan.table[-1])
            table.put_in_place(plan.existing)
            self.access.execute(f"ANALYZE {quoted_path(*plan.table)}")
        return Message(status=f"COPY {len(data.rows)}", notes=(*table.notes, _count(data, plan)))

    def _append(self, plan: CopyPlan, data: Data, statement: str) -> Message:
        assert plan.existing is not None
        for name in data.columns:
            if name not in plan.existing.columns:
                raise _error(
                    f"table {plan.existing.name} has no column {name}",
                    statement,
                    plan.at,
                    did_you_mean(name, plan.existing.columns, what="columns"),
                )
        with self.access.connection.transaction():
            self._fill(quoted_path(*plan.table), data, plan.table[-1])
        return Message(status=f"COPY {len(data.rows)}", notes=(_count(data, plan),))

    def _fill(self, target: str, data: Data, name: str) -> None:
        columns = ", ".join(map(quoted, data.columns))
        statement = f"COPY {target} ({columns}) FROM STDIN"
        with self.access.connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for number, row in enumerate(data.rows):
                copy.write_row(row)
                if number % PROGRESS_ROWS == 0:
                    self.on_progress(Progress(what=f"copying {name}", done=number, total=len(data.rows), unit="rows"))


def _count(data: Data, plan: CopyPlan) -> str:
    return f"{len(data.rows)} rows, {len(data.columns)} columns into {plan.table[-1]}"


def _error(message: str, statement: str, at: Span, hint: str) -> SyntaxNotUnderstood:
    return SyntaxNotUnderstood(
        message, hint=hint, statement=statement, offset=at.start, length=max(1, at.end - at.start)
    )
