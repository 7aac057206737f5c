"""Compiling the native function, and not being able to."""

from __future__ import annotations

from pathlib import Path

import pytest

from thanopg.database.native_build import BuildFailure, build, build_one, is_current, library_name
from thanopg.database.native_library import LIBRARY, ensure_native_library


def test_one_library_per_version_and_no_path_of_this_machine(tmp_path: Path) -> None:
    paths = build(tmp_path / "native")
    assert [path.name for path in paths] == ["thanopg_native-16.so", "thanopg_native-18.so"]
    for path in paths:
        content = path.read_bytes()
        assert is_current(path)
        assert str(Path(__file__).parents[2]).encode() not in content
        assert b"site-packages" not in content


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildFailure, match="no C compiler found"):
        build(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_compiler_that_fails_says_why_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text("#!/bin/sh\necho 'note: thinking' >&2\necho 'fatal error: stdio.h: No such file' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(BuildFailure, match=r"^fatal error: stdio\.h: No such file$"):
        build_one(18, tmp_path / library_name(18))


def test_an_outdated_library_is_replaced(tmp_path: Path) -> None:
    (tmp_path / LIBRARY).write_bytes(b"thanopg_native.c 0000")
    assert ensure_native_library(tmp_path) is None
    assert is_current(tmp_path / LIBRARY)
    before = (tmp_path / LIBRARY).stat()
    assert ensure_native_library(tmp_path) is None
    assert (tmp_path / LIBRARY).stat() == before
