"""Columns are added to the shop, and the worker fills them while people watch."""

from __future__ import annotations

import time

from thanopg.cli.progress import Bar
from thanopg.cli.screen import Screen
from thanopg.cli.showcase.shop import Coverage, Shop
from thanopg.errors import ModelUnavailable


def fill(screen: Screen, shop: Shop, doing: str, *statements: str) -> None:
    """Raises ModelUnavailable when a row is left out."""
    screen.heading("\n" + "\n".join(f"{statement};" for statement in statements))
    before = shop.coverage().embedded
    for statement in statements:
        shop.run(statement)
    began = time.monotonic()
    with Bar(screen, doing, total=shop.coverage().rows - before, unit="rows") as bar:

        def tell(coverage: Coverage) -> None:
            loading = f"loading the model, {time.monotonic() - began:.0f} s"
            bar.set(coverage.embedded - before, note=f"{coverage.rate:.0f}/s" if coverage.rate else loading)

        coverage = shop.wait(tell)
    if coverage.failed:
        raise ModelUnavailable(f"{coverage.failed} of {coverage.rows} rows are left out: {shop.first_failure()}")
