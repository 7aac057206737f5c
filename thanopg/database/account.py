"""The operating system's user that runs the server programs: ourselves, or an unprivileged one when we are root.

PostgreSQL refuses to run as root. Nothing here changes the mode or the owner of anything that was not made by us.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thanopg.errors import ServerStartError

UNPRIVILEGED = ("postgres", "nobody")
PROBE_SECONDS = 30.0
COMMAND_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whom the server's processes run as."""

    name: str
    uid: int
    gid: int
    switch: bool
    """True when it is not the user we are"""

    def process_options(self) -> dict[str, Any]:
        """Arguments for subprocess: the user, an environment without PG* variables, a directory that can be entered."""
        keep = {
            name: value for name, value in os.environ.items() if name in ("PATH", "TZ", "LD_LIBRARY_PATH", "TMPDIR")
        }
        options: dict[str, Any] = {"env": {**keep, "LC_ALL": "C.UTF-8"}, "cwd": "/"}
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def run(
        self, arguments: Sequence[str | Path], *, seconds: float = COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; stdout and stderr are captured together. Raises OSError, subprocess.TimeoutExpired."""
        return subprocess.run(
            [os.fspath(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            **self.process_options(),
        )

    def can_run(self, program: Path) -> bool:
        try:
            return self.run([program, "--version"], seconds=PROBE_SECONDS).returncode == 0
        except OSError:
            return False

    def can_enter(self, directory: Path) -> bool:
        if not self.switch:
            return os.access(directory, os.X_OK)
        return self.run(["/bin/sh", "-c", 'cd "$0"', directory], seconds=PROBE_SECONDS).returncode == 0

    def make_directory(self, path: Path) -> None:
        """A directory of mode 0700 that belongs to this account; an existing one must already be exactly that."""
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            found = path.lstat()
            if path.is_symlink() or not path.is_dir() or found.st_uid != self.uid or found.st_mode & 0o077:
                raise ServerStartError(
                    f"{path} must be a directory of mode 0700 that belongs to {self.name}",
                    hint="move it away, or choose another home: THANOPG_HOME",
                ) from None
            return
        if self.switch:
            os.chown(path, self.uid, self.gid)


def server_account(data: Path) -> Account:
    """Ourselves; as root whoever owns the data already, or else the first of `postgres` and `nobody` that exists.

    Raises ServerStartError.
    """
    if os.geteuid() != 0:
        return Account(name=_name_of(os.geteuid()), uid=os.geteuid(), gid=os.getegid(), switch=False)
    owner = data.stat() if data.is_dir() else None
    if owner is not None and owner.st_uid != 0:
        return Account(name=_name_of(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid, switch=True)
    for name in UNPRIVILEGED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=found.pw_uid, gid=found.pw_gid, switch=True)
    raise ServerStartError(
        "the server does not run as root, and there is no user postgres or nobody to run it",
        hint="run thanopg as an ordinary user, or: useradd --system postgres",
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container with an arbitrary user id
        return str(uid)
