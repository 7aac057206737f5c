"""Where `sql/` and `migrations/` are: inside the package in a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from thanopg.errors import InstallError

PACKAGE = Path(__file__).resolve().parent.parent


def sql_directory() -> Path:
    return _directory("sql")


def migrations_directory() -> Path:
    return _directory("migrations")


def replaceable_sql() -> list[Path]:
    """Every file of `sql/` itself, in the order of their names; files of its folders are chosen from."""
    return sorted(path for path in sql_directory().glob("*.sql") if path.is_file())


def _directory(name: str) -> Path:
    for place in (PACKAGE, PACKAGE.parent):
        if (place / name).is_dir():
            return place / name
    raise InstallError(f"the directory {name}/ of thanopg is missing", hint="install thanopg again")
