"""Where passwords come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from thanopg.cli.secret import required, service_password, with_password
from thanopg.errors import InvalidArgument


def test_a_file_wins_over_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("in the file \n")
    environ = {"THANOPG_SERVICE_PASSWORD": "in the environment"}
    assert service_password(file, environ) == "in the file "
    assert service_password(None, environ) == "in the environment"
    assert service_password(None, {"THANOPG_SERVICE_PASSWORD_FILE": str(file)}) == "in the file "
    assert service_password(None, {}) is None


def test_empty_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("\n")
    with pytest.raises(InvalidArgument, match="is empty"):
        service_password(file, {})
    with pytest.raises(InvalidArgument, match="needs a password"):
        required(None)


def test_the_database_password_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a 'b' \\ c\n")
    environ = {"THANOPG_DATABASE_PASSWORD_FILE": str(file)}
    found = with_password("postgresql://shop@db/shop", environ)
    assert found is not None
    assert conninfo_to_dict(found) == {"user": "shop", "host": "db", "dbname": "shop", "password": "a 'b' \\ c"}
    given = "postgresql://shop:given@db/shop"
    assert with_password(given, environ) == given
    assert with_password(None, environ) is None
    assert with_password("no url at all", environ) == "no url at all"
