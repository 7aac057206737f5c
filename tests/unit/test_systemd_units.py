"""The units of deploy/systemd: systemd reads them without a complaint, and their commands exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.command import ROOT
from thanopg.cli.main import make_app

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
PROGRAM = "/opt/thanopg/bin/thanopg"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and os.environ.get("CI") != "true",
    reason="the systemd units are NOT TESTED: there is no systemd-analyze (apt-get install systemd)",
)


@needs_systemd
def test_systemd_reads_them(tmp_path: Path) -> None:
    assert [unit.name for unit in UNITS] == ["thanopg-service.service", "thanopg-worker@.service"]
    for unit in UNITS:  # the program must be there to be started
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, sys.executable))
    for name in ("thanopg-service.service", "thanopg-worker@1.service"):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", tmp_path / name], capture_output=True, text=True, timeout=60
        )
        ours = [line for line in done.stderr.splitlines() if "thanopg" in line]
        assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_commands_and_options_exist(unit: Path) -> None:
    text = unit.read_text()
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    program, verb, *arguments = command.split()
    assert program == PROGRAM
    help_text = CliRunner().invoke(make_app(), [verb, "--help"], prog_name="thanopg").output
    for option in (word for word in arguments if word.startswith("--")):
        assert re.search(rf"{option}\b", help_text), option
    loaded = dict(re.findall(r"^LoadCredential=(\S+):(\S+)$", text, re.MULTILINE))
    assert set(re.findall(r"%d/(\S+)", text)) == set(loaded)
