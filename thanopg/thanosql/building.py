"""BUILD MODEL and FIT MODEL: fine-tunes on pictures with texts from a query."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thanopg.config import Settings
from thanopg.errors import NotSupported
from thanopg.images.source import ImageReader
from thanopg.thanosql.access import Access, Answer
from thanopg.thanosql.plan import BuildPlan
from thanopg.thanosql.result import Message, OnProgress


@dataclass
class Builder:
    """Carries out the BUILD MODEL statements of a session."""

    access: Access
    settings: Settings
    directory: Path
    reader: ImageReader
    on_progress: OnProgress

    def run(self, plan: BuildPlan, answer: Answer, statement: str) -> Message:
        raise NotSupported("BUILD MODEL is not there yet")
