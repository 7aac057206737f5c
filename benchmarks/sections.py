"""What can be measured, and how one section of it runs: with a server, a service and decoding processes of its own."""

from __future__ import annotations

import importlib

from benchmarks.measure import Figure
from benchmarks.stack import running_stack

SECTIONS = {
    "search": "what search_image costs over the statement that one would write",
    "texts": "the text tower without padding, and many sessions asking at once",
    "adapter": "what dblink costs over the native function",
    "bulk": "from JPEG files to committed vectors, beside what people write and other tools",
    "growth": "whether a row costs the same however many wait",
    "attack": "how long a client waits while the service is attacked",
}
LONG = {
    "growth_full": "the same as growth, up to ten million pending rows",
    "soak": "whether the memory of worker and service stays flat: an hour of ordinary use",
    "million": "search in 1,000,000 rows: each kind of index, its recall, size and build, and filters",
}
"""minutes to hours; run only when named"""


def run_section(name: str, *, quick: bool) -> list[Figure]:
    """`name` is a module of this package."""
    with running_stack() as stack:  # a worker looks at every table of its database
        figures: list[Figure] = importlib.import_module(f"benchmarks.{name}").run(stack, quick=quick)
    return figures
