"""What `%load_ext thanopg` and `%unload_ext thanopg` do."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from thanopg.notebook.magic import Magic

MINE = "_thanopg_magic"
"""the attribute of the shell where its magic is kept"""


def load(shell: InteractiveShell) -> None:
    unload(shell)
    magic = Magic(shell)
    magic.register()
    shell.__dict__[MINE] = magic


def unload(shell: InteractiveShell) -> None:
    magic: Magic | None = shell.__dict__.pop(MINE, None)
    if magic is not None:
        magic.close()
