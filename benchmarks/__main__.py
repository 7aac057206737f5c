"""`python -m benchmarks [--quick] [--json] [--output DIRECTORY] [SECTION …]`: one table of ratios of one run.

Example: `python -m benchmarks --output /tmp/figures bulk texts`
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.measure import Figure
from benchmarks.plot import plot
from benchmarks.sections import LONG, SECTIONS, run_section
from benchmarks.table import table


def main() -> None:
    known = {**SECTIONS, **LONG}
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="sections:\n" + "\n".join(f"  {name:10} {what}{_only(name)}" for name, what in known.items()),
    )
    parser.add_argument("names", nargs="*", metavar="SECTION", help="which; all but the long ones by default")
    parser.add_argument("--quick", action="store_true", help="a minute or two instead of a quarter of an hour")
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    parser.add_argument("--output", type=Path, help="directory for figures.json, figures.txt and figures.png")
    given = parser.parse_args()
    names = list(dict.fromkeys(given.names or SECTIONS))
    if unknown := set(names) - set(known):
        parser.error(f"no section named {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    figures: list[Figure] = []
    for name in names:
        print(f"{name}: {known[name]}", file=sys.stderr)
        begin = time.monotonic()
        # of its own: what one section leaves in memory made the worker of the next a twentieth slower
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            found = process.submit(run_section, name, quick=given.quick).result()
        # a run that is cut short has told what it knew
        print(table(found), file=sys.stderr if given.json else sys.stdout, flush=True)
        print(f"{name}: took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        figures += found
    document = {"machine": describe_machine(), "figures": [figure.as_json() for figure in figures]}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if given.json:
        print(text)
    if given.output is not None:
        given.output.mkdir(parents=True, exist_ok=True)
        (given.output / "figures.json").write_text(text + "\n")
        (given.output / "figures.txt").write_text(table(figures))
        plot(figures, given.output / "figures.png")


def _only(name: str) -> str:
    return " (long: only when named)" if name in LONG else ""


if __name__ == "__main__":
    main()
