"""Where passwords come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from thanopg.cli.secret import required, service_password
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
