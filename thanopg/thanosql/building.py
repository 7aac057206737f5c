"""BUILD MODEL and FIT MODEL: pictures and texts of a query → a fine-tuned model, registered under its name."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thanopg.config import Settings
from thanopg.errors import ImageError, InvalidArgument, SyntaxNotUnderstood
from thanopg.images.pool import DecodePool
from thanopg.images.processors import processors
from thanopg.images.source import ImageReader
from thanopg.models.embedder import Pixels, Preprocessing
from thanopg.thanosql.access import Access, Answer
from thanopg.thanosql.fragment import Ours, assemble
from thanopg.thanosql.plan import BuildPlan
from thanopg.thanosql.result import Message, OnProgress, Progress
from thanopg.thanosql.vocabulary import did_you_mean

MOST_DECODERS = 8
PROGRESS_PICTURES = 50


@dataclass
class Builder:
    """Carries out the BUILD MODEL statements of a session."""

    access: Access
    settings: Settings
    directory: Path
    reader: ImageReader
    on_progress: OnProgress

    def run(self, plan: BuildPlan, answer: Answer, statement: str) -> Message:
        """Raises SyntaxNotUnderstood, and what loading a model raises."""
        from thanopg.catalog.training.finetune import FineTuning, Step, Tuning

        pairs = self._pairs(plan, answer, statement)
        tuning = FineTuning(plan.source, device=self.settings.device)
        chosen = Tuning(
            epochs=plan.epochs or Tuning.epochs, batch=plan.batch_size or Tuning.batch, rate=plan.learning_rate
        )
        destination = self.directory / f"{_file_name(plan.name)}-{uuid.uuid4().hex[:8]}"

        def tell(step: Step) -> None:
            note = f"epoch {step.epoch}/{step.epochs} · loss {step.loss:.3f} · validation recall {step.recall:.3f}"
            self.on_progress(
                Progress(what=f"training {plan.name}", done=step.pictures, total=step.total, unit="pictures", note=note)
            )

        self.directory.mkdir(parents=True, exist_ok=True)
        memory = self.directory / f".pixels-{uuid.uuid4().hex}.npy"
        try:
            pixels, texts, faults = self._read(pairs, tuning.preprocessing, memory, plan)
            try:
                outcome = tuning.run(pixels, texts, destination, chosen, tell)
            except InvalidArgument as error:
                raise self._error(error.message, statement, plan, error.hint) from error
            self._register(plan, destination, statement)
        except BaseException:
            shutil.rmtree(destination, ignore_errors=True)
            raise
        finally:
            memory.unlink(missing_ok=True)
        notes = [
            f"model {plan.name}: validation recall from {outcome.before:.3f} to {outcome.after:.3f}, measured on "
            f"{outcome.validated} pairs that were kept back; {outcome.epochs} epochs of {outcome.trained} pairs"
        ]
        if faults:
            notes.append(f"{len(faults)} pictures could not be used, the first: {faults[0]}")
        return Message(status="FIT MODEL" if plan.fit else "BUILD MODEL", notes=tuple(notes))

    def _pairs(self, plan: BuildPlan, answer: Answer, statement: str) -> list[tuple[str | bytes, str]]:
        at = []
        for name in (plan.image_column, plan.text_column):
            if name not in answer.columns and name.lower() not in answer.columns:
                hint = did_you_mean(name, answer.columns, what="its columns")
                raise self._error(f"the query of BUILD MODEL has no column {name}", statement, plan, hint)
            at.append(answer.columns.index(name if name in answer.columns else name.lower()))
        return [
            (bytes(row[at[0]]) if isinstance(row[at[0]], bytes | memoryview) else str(row[at[0]]), str(row[at[1]]))
            for row in answer.rows
            if row[at[0]] is not None and row[at[1]] is not None and str(row[at[1]]).strip()
        ]

    def _read(
        self, pairs: Sequence[tuple[str | bytes, str]], preprocessing: Preprocessing, memory: Path, plan: BuildPlan
    ) -> tuple[Pixels, list[str], list[str]]:
        """Pixels on disk rather than in memory; what can't be read is left out and named."""
        shape = (max(1, len(pairs)), preprocessing.height, preprocessing.width, 3)
        pixels: Any = np.lib.format.open_memmap(memory, mode="w+", dtype=np.uint8, shape=shape)
        texts: list[str] = []
        faults: list[str] = []
        processes = min(MOST_DECODERS, processors())
        with DecodePool(processes, self.settings.limits) as decoder, ThreadPoolExecutor(2 * processes) as threads:

            def read(source: str | bytes) -> Pixels | ImageError:
                try:
                    return decoder.submit(self.reader.read(source).data, preprocessing).result()
                except ImageError as error:
                    return error

            for number, (pair, read_one) in enumerate(
                zip(pairs, threads.map(read, (p[0] for p in pairs)), strict=True)
            ):
                if isinstance(read_one, ImageError):
                    faults.append(f"{pair[0] if isinstance(pair[0], str) else 'bytes'}: {read_one.message}")
                else:
                    pixels[len(texts)] = read_one
                    texts.append(pair[1])
                if number % PROGRESS_PICTURES == 0:
                    what = f"reading for {plan.name}"
                    self.on_progress(Progress(what=what, done=number, total=len(pairs), unit="pictures"))
        return pixels[: len(texts)], texts, faults

    def _register(self, plan: BuildPlan, destination: Path, statement: str) -> None:
        """With overwrite the model of that name goes, and its files if they are ours."""
        with self.access.errors(statement, assemble((Ours("", plan.at),))):
            old = self.access.query("SELECT source FROM thanopg.model WHERE name = $1", plan.name)
            self.access.query(
                "SELECT thanopg.create_model($1, base => $2, source => $3, replace => $4)",
                plan.name,
                plan.base,
                f"local-dir:{destination.absolute()}",
                plan.overwrite,
            )
        if old and old[0][0].startswith("local-dir:"):
            before = Path(old[0][0].removeprefix("local-dir:"))
            if before.parent == self.directory.absolute():
                shutil.rmtree(before, ignore_errors=True)

    def _error(self, message: str, statement: str, plan: BuildPlan, hint: str) -> SyntaxNotUnderstood:
        return SyntaxNotUnderstood(
            message, hint=hint, statement=statement, offset=plan.at.start, length=len("BUILD MODEL")
        )


def _file_name(name: str) -> str:
    return "".join(sign if sign.isalnum() else "_" for sign in name)[:40]
