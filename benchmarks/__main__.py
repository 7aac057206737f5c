"""`python -m benchmarks [--quick] [--json] [search|adapter|bulk|growth|attack …]`: one table of ratios."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext

from benchmarks import adapter, attack, bulk, growth, search
from benchmarks.measure import Figure
from benchmarks.stack import running_stack

NAMES = ("search", "adapter", "bulk", "growth", "attack")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES), help="which; all by default")
    parser.add_argument("--quick", action="store_true", help="a minute instead of several")
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    given = parser.parse_args()
    names = set(given.names or NAMES)
    if unknown := names - set(NAMES):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    with running_stack() if names - {"attack"} else nullcontext() as stack:
        if "search" in names and stack is not None:
            figures += search.run(stack, rows=5_000 if given.quick else 50_000, rounds=100 if given.quick else 500)
        if "adapter" in names and stack is not None:
            figures += adapter.run(stack, rows=2_000, rounds=500 if given.quick else 3_000)
        if "bulk" in names and stack is not None:
            figures += bulk.run(stack, pictures=64 if given.quick else 256, rounds=2 if given.quick else 3)
        if "growth" in names and stack is not None:
            sizes = (10_000, 100_000) if given.quick else (10_000, 1_000_000)
            figures += growth.run(stack, sizes=sizes, rows=6_400, rounds=2 if given.quick else 3)
    if "attack" in names:
        figures += attack.run(seconds=3 if given.quick else 7)
    if given.json:
        json.dump([figure.as_json() for figure in figures], sys.stdout, indent=2, ensure_ascii=False)
        return
    title = ""
    for figure in figures:
        if figure.benchmark != title:
            title = figure.benchmark
            print(f"\n{title}\n{'':40} {'median ms':>12} {'spread':>10} {'more ms':>10} {'ratio':>7}")
        print(
            f"{figure.what:40} {figure.median_ms:12.3f} {figure.spread_ms:10.3f} {figure.difference_ms:10.3f} "
            f"{figure.ratio:7.2f}"
        )


if __name__ == "__main__":
    main()
