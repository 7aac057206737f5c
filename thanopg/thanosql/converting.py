"""CONVERT: the column of vectors or captions, and the wait until its rows are done, by workers there or our own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from thanopg.bench.kept import kept_rate
from thanopg.config import Settings
from thanopg.errors import SyntaxNotUnderstood
from thanopg.images.pool import DecodePool
from thanopg.images.processors import processors
from thanopg.images.source import ImageReader
from thanopg.models.library import ModelLibrary
from thanopg.thanosql.access import Access
from thanopg.thanosql.fragment import Ours, assemble, quoted_path
from thanopg.thanosql.pace import Pace
from thanopg.thanosql.plan import ConvertStep
from thanopg.thanosql.registry import Kind
from thanopg.thanosql.result import OnProgress, Progress
from thanopg.thanosql.tables import key_of, new_table
from thanopg.thanosql.tree import Span
from thanopg.thanosql.vocabulary import did_you_mean
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker

POLL_SECONDS = 0.1
STALL_SECONDS = 30.0
"""without a row done, although workers are there: then we work too"""
REGISTERED = """
    SELECT e.id, e.kind, e.model, e.source_name::text, e.language, e.prompt, e.attributes_name::text
    FROM thanopg.embedding_column e WHERE e.target = $1::regclass AND e.column_name = $2
"""
ADD: Mapping[Kind, str] = {
    "image": "SELECT thanopg.add_image_embedding($1::regclass, $2, $3, column_name => $4)",
    "text": "SELECT thanopg.add_text_embedding($1::regclass, $2, $3, column_name => $4)",
    "caption": "SELECT thanopg.add_caption("
    "$1::regclass, $2, $3, $4, language => $5, prompt => $6, attributes_column => $7)",
}
OWN_CARE = (" for a worker", " is to be built when the rows are embedded")
"""in notices of these: what CONVERT waits for, and what it does in the end"""
RESULT: Mapping[Kind, str] = {"image": "vector", "text": "vector", "caption": "caption"}
WAITING = "SELECT thanopg.count_untried($1)"
FAILED = """
    SELECT error_type, count(*) FROM thanopg.pending WHERE embedding = $1 AND error_type IS NOT NULL
    GROUP BY 1 ORDER BY 2 DESC, 1
"""
EXPECTED = """
    SELECT e.fingerprint, thanopg.expected_rate(e.fingerprint, e.kind) FROM thanopg.embedding_column e WHERE e.id = $1
"""
INDEX_MISSING = """
    SELECT s.index = 'missing' FROM thanopg.embedding_status s
    JOIN thanopg.embedding_column e ON e.target = s.target AND e.column_name = s.column_name WHERE e.id = $1
"""


@dataclass
class Converter:
    """Carries out the CONVERT statements of a session."""

    access: Access
    settings: Settings
    reader: ImageReader
    library: Callable[[], ModelLibrary]
    on_progress: OnProgress

    def run(self, step: ConvertStep, statement: str, parameters: Mapping[str, object]) -> list[str]:
        """Returns what there is to say about it."""
        place = assemble((Ours("", step.at),))
        if self.access.in_transaction:
            raise _error(
                "CONVERT can't run inside a transaction", statement, step.at, "COMMIT first: workers see no more"
            )
        with self.access.errors(statement, place), self.access.connection.transaction():
            notes = [] if step.source is None else self._make_table(step, statement, parameters)
            embedding = self._embedding(step, statement)
        with self.access.errors(statement, place):
            self._wait(embedding, step)
            self._build_index(embedding, step)
            failed = dict(self.access.query(FAILED, embedding))
        return notes + _what_failed(step, failed)

    def _make_table(self, step: ConvertStep, statement: str, parameters: Mapping[str, object]) -> list[str]:
        assert step.source is not None
        carried = key_of(self.access, step.carries) if step.carries else []
        with new_table(self.access, step.table) as table:
            query = (Ours(f"CREATE TABLE {table.draft_name} AS\n", step.at), *step.source)
            self.access.run(statement, query, parameters, literals=True)
            for column in step.remade:
                table.drop_column(column)
            columns = tuple(table.columns())
            if step.source_column not in columns:
                raise _error(
                    f"the query of CONVERT has no column {step.source_column}",
                    statement,
                    step.source_at,
                    did_you_mean(step.source_column, columns, what="columns"),
                )
            table.put_in_place(step.replaced, carried=carried)
        return table.notes

    def _embedding(self, step: ConvertStep, statement: str) -> int:
        """Number of the embedding column: the one that is there, its rows looked at again, or a new one."""
        target = quoted_path(*step.table)
        found = self.access.query(REGISTERED, target, step.column)
        if not found:
            arguments: list[object] = [target, step.source_column, step.model.name, step.column]
            if step.kind == "caption":
                arguments += [step.language, step.prompt, step.attributes_column]
            self.access.query(ADD[step.kind], *arguments)
            self.access.notices[:] = [each for each in self.access.notices if not any(own in each for own in OWN_CARE)]
            return int(self.access.query(REGISTERED, target, step.column)[0][0])
        number, kind, model, source, *of_captions = found[0]
        if (kind, model, source) != (step.kind, step.model.name, step.source_column):
            raise _error(
                f"column {step.column} holds the {RESULT[kind]}s of {source} by model {model}",
                statement,
                step.at,
                "choose another column with result_col='…'",
            )
        wanted = (step.language, step.prompt, step.attributes_column)
        for name, asked, there in zip(("language", "prompt", "attributes_col"), wanted, of_captions, strict=True):
            if asked is not None and asked != there:
                raise _error(
                    f"column {step.column} was made with {name}={there!r}, not {asked!r}"
                    if there is not None
                    else f"column {step.column} was made without {name}",
                    statement,
                    step.at,
                    "choose another column with result_col='…'",
                )
        self.access.query("SELECT thanopg.refresh($1::regclass, $2)", target, step.column)
        return int(number)

    def _build_index(self, embedding: int, step: ConvertStep) -> None:
        """What add_image_embedding has put off for a large table."""
        if self.access.query(INDEX_MISSING, embedding) == [(True,)]:
            self.on_progress(Progress(what=f"index of {step.table[-1]}", done=0, total=None, unit="rows"))
            self.access.execute(self.access.query("SELECT thanopg.index_statement($1, true)", embedding)[0][0])

    # --- waiting ---------------------------------------------------------------------------------------------------

    def _wait(self, embedding: int, step: ConvertStep) -> None:
        total = self._waiting(embedding)
        what = f"{'captioning' if step.kind == 'caption' else 'embedding'} {step.table[-1]}"
        moved, left = time.monotonic(), total
        pace = Pace(total, self._expected(embedding, step) if left else None)
        while left:
            workers = int(self.access.query("SELECT thanopg.worker_count()")[0][0])
            if not workers or time.monotonic() - moved > STALL_SECONDS:
                self._work(embedding, step, what, total, pace)
                return
            self._tell(what, total - left, total, pace, f"{workers} worker{'s' if workers > 1 else ''}")
            time.sleep(POLL_SECONDS)  # nothing tells when a worker of elsewhere is done
            before, left = left, self._waiting(embedding)
            moved = moved if left == before else time.monotonic()
        self.on_progress(Progress(what=what, done=total, total=total, unit="rows"))

    def _expected(self, embedding: int, step: ConvertStep) -> float | None:
        """Rows per second: as workers did lately, else as thanopg bench has measured on this machine."""
        ((fingerprint, rate),) = self.access.query(EXPECTED, embedding)
        return kept_rate(fingerprint, step.kind, device=self.settings.device) if rate is None else float(rate)

    def _tell(self, what: str, done: int, total: int, pace: Pace, note: str) -> None:
        done = max(0, done)
        pace.done(done, time.monotonic())
        self.on_progress(
            Progress(
                what=what,
                done=done,
                total=total,
                unit="rows",
                note=note,
                rate=pace.rate,
                seconds_left=pace.seconds_left,
            )
        )

    def _work(self, embedding: int, step: ConvertStep, what: str, total: int, pace: Pace) -> None:
        """A worker in this process; what it raises is raised here, if rows are left because of it."""
        stop, failures = threading.Event(), list[Exception]()
        processes = processors()
        options = WorkerOptions(batch_size=step.batch_size) if step.batch_size else WorkerOptions()
        with (
            DecodePool(processes, self.settings.limits) as decoder,
            Preparer(
                ImageReader(self.settings.image_root, self.settings.limits), decoder, threads=2 * processes
            ) as made,
        ):
            worker = Worker(self.access.url, self.library(), made, options)

            def work() -> None:
                try:
                    worker.run(stop, once=True)
                except Exception as error:  # raised again below
                    failures.append(error)

            thread = threading.Thread(target=work, name="convert", daemon=True)
            thread.start()
            try:
                while thread.is_alive():
                    left = self._waiting(embedding)
                    self._tell(what, total - left, total, pace, "in this process")
                    if not left:
                        stop.set()
                    thread.join(POLL_SECONDS)
            finally:
                stop.set()
                thread.join()
        left = self._waiting(embedding)
        self.on_progress(Progress(what=what, done=max(0, total - left), total=total, unit="rows"))
        if left and failures:
            raise failures[0]

    def _waiting(self, embedding: int) -> int:
        """Rows that nobody has tried yet: about so many while there are many, and in the end exactly."""
        return int(self.access.query(WAITING, embedding)[0][0])


def _what_failed(step: ConvertStep, failed: dict[str, int]) -> list[str]:
    """`failed`: rows by what went wrong."""
    notes, table = list[str](), step.table[-1]
    unlike = failed.pop("adoption_mismatch", 0)
    if unlike:
        notes.append(
            f"{unlike} rows of {table} keep a vector in {step.column} that model {step.model.name} would not make; "
            "to make them anew: SELECT retry(error_type => 'adoption_mismatch')"
        )
    if failed:
        faults = ", ".join(f"{count} {fault}" for fault, count in failed.items())
        notes.append(
            f"{sum(failed.values())} rows of {table} have no {RESULT[step.kind]}: {faults}; "
            "see: SELECT * FROM thanopg.failure"
        )
    return notes


def _error(message: str, statement: str, at: Span, hint: str = "") -> SyntaxNotUnderstood:
    return SyntaxNotUnderstood(
        message, hint=hint, statement=statement, offset=at.start, length=max(1, at.end - at.start)
    )
