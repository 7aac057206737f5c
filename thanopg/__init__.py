"""Text-to-image search inside PostgreSQL. Importing this loads neither torch nor IPython."""

from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext thanopg`."""
    from thanopg.notebook.extension import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    from thanopg.notebook.extension import unload

    unload(ipython)
