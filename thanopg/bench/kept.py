"""The last result for each model, device and machine, in the user's cache; one that can't be used is done without."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from thanopg.bench.machine import machine
from thanopg.bench.report import Report
from thanopg.config import user_cache

MOST_KEPT = 50


def kept_path() -> Path:
    """May be deleted at any time."""
    return user_cache() / "bench.json"


def keep(report: Report) -> None:
    """Instead of an older one of the same model, device and machine."""
    name = "|".join((report.model.fingerprint, report.model.device, report.machine))
    entries = {key: value for key, value in _entries().items() if key != name}
    entries[name] = report.as_json()
    latest = dict(list(entries.items())[-MOST_KEPT:])
    with contextlib.suppress(OSError):
        _write(kept_path(), json.dumps(latest, ensure_ascii=False, indent=1))


def kept_rate(fingerprint: str, kind: str, *, device: str | None = None) -> float | None:
    """Rows per second that a worker on this machine can be expected to do, of `image` or `text`; None: nobody knows.

    `device`: as a user names it; None takes the one that was measured last.
    """
    for name, entry in reversed(_entries().items()):
        its_fingerprint, _, rest = name.partition("|")
        its_device, _, its_machine = rest.partition("|")
        fits = device in (None, "auto", its_device, its_device.partition(":")[0])
        if (its_fingerprint, its_machine) == (fingerprint, machine()) and fits:
            with contextlib.suppress(KeyError, TypeError, ValueError, IndexError):  # damaged, or of another version
                return _rate(entry, kind)
    return None


def _rate(entry: Any, kind: str) -> float | None:
    """Of pictures of several sizes, those in the middle."""
    if kind == "text":
        rate = float(entry["texts"]["texts_per_second"])
    elif (entry["forward"]["what"] == "captions") == (kind == "caption"):
        rates = sorted(float(each["images_per_second"]) for each in entry["pictures"])
        rate = rates[len(rates) // 2]
    else:
        return None
    return rate if 0 < rate < float("inf") else None


def _entries() -> dict[str, Any]:
    try:
        found = json.loads(kept_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, text: str) -> None:
    """In one step, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
