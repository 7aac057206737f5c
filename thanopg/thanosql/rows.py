"""Runs the SQL of a plan: first in the form for the vector index, and as it is where that form gives too few rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from thanopg.errors import StatementRefused, SyntaxNotUnderstood
from thanopg.thanosql.access import Access, Answer
from thanopg.thanosql.plan import Indexed, RowsPlan
from thanopg.thanosql.registry import Registry
from thanopg.thanosql.searching import ROWS
from thanopg.thanosql.vocabulary import STATEMENTS, did_you_mean, nearest

CANCELLED = "57014"


@dataclass
class RowsRunner:
    access: Access

    def run(self, plan: RowsPlan, statement: str, parameters: Mapping[str, object]) -> Answer:
        """Raises StatementRefused."""
        if not plan.searches:
            return self.access.run(statement, plan.sql, parameters, literals=plan.utility)
        with self.access.search_settings(plan.effort):
            if plan.indexed is not None:
                answer = self._indexed(plan.indexed, statement, parameters)
                if answer is not None:
                    return answer
            return self.access.run(statement, plan.sql, parameters, literals=plan.utility)

    def _indexed(self, indexed: Indexed, statement: str, parameters: Mapping[str, object]) -> Answer | None:
        """None: too few rows, or an error, which the plain form then has or has not; what was done is undone."""
        answer: Answer | None = None
        try:
            with self.access.connection.transaction() as transaction:
                answer = self.access.run(statement, indexed.sql, parameters)
                if not indexed.explains and len(answer.rows) < indexed.rows:
                    raise psycopg.Rollback(transaction)
        except StatementRefused as error:
            if error.sqlstate == CANCELLED:
                raise
            return None
        if not indexed.explains and len(answer.rows) < indexed.rows:
            return None
        return _sorted(answer, indexed.label)


def _sorted(answer: Answer, label: str | None) -> Answer:
    """An index compares in single precision: what it holds for equal can be a hair out of order."""
    if label is None or answer.columns.count(label) != 1:
        return answer
    at = answer.columns.index(label)
    if any(row[at] is None for row in answer.rows):
        return answer
    rows = sorted(answer.rows, key=lambda row: -row[at])  # stable: the other keys of the order stay as they are
    return Answer(answer.columns, rows, answer.status, answer.has_rows)


def with_hint(error: StatementRefused, registry: Registry) -> SyntaxNotUnderstood:
    """The server's error with the name that may have been meant, where it gives no hint itself."""
    if error.hint or error.offset is None:
        return error
    words = error.statement[error.offset :].replace('"', " ").replace(".", " ").split(None, 3)
    quoted = error.message.split('"')
    if error.sqlstate == "42601" and words:
        near = nearest(words[0], STATEMENTS, cutoff=0.75)
        error.hint = f"did you mean {near}?" if near and near != words[0].upper() else ""
    elif error.sqlstate == "42P01" and len(quoted) > 1:
        name = quoted[1].rpartition(".")[2]
        error.hint = did_you_mean(name, [table.name for table in registry.tables], what="tables")
    elif error.sqlstate == "42703" and f"column {ROWS}." in error.message:
        name = error.message.split()[1].removeprefix(f"{ROWS}.")
        error.args = (f"the query of SEARCH does not show column {name}",)
        error.hint = "write SELECT *, or add the column to its SELECT; CONVERT USING makes it where it is missing"
    elif error.sqlstate == "42703":
        name = (quoted[1] if len(quoted) > 1 else error.message.split()[1]).rpartition(".")[2]
        columns = sorted({column for table in registry.tables for column in table.columns})
        near = nearest(name, columns)
        error.hint = f"did you mean {near}?" if near else ""
    return error
