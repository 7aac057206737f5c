"""Who runs in a home, told apart from who has only got the same number."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from thanopg.cli.stack.child import Child
from thanopg.cli.stack.state import Identity, State, StateFile, hold, is_held
from thanopg.errors import AlreadyRunning


def test_a_number_is_no_identity() -> None:
    me = Identity.of(os.getpid())
    assert me.alive
    assert not Identity(pid=me.pid, began=me.began - 1000).alive


def test_a_dead_process_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = Identity.of(process.pid)
    assert identity.alive
    process.kill()
    assert identity.wait(10), "dead, though nobody has asked for its exit code yet"
    process.communicate()
    assert not identity.alive


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    assert file.read() is None
    me = Identity.of(os.getpid())
    state = State(supervisor=me, children={"worker": me}, image_root="/사진", ready=True)
    file.write(state)
    assert file.read() == state
    file.path.write_text('{"supervisor": 7}')
    assert file.read() is None


def test_one_supervisor_at_a_time(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with hold(tmp_path):
        assert is_held(tmp_path)
        with pytest.raises(AlreadyRunning), hold(tmp_path):
            pass
    assert not is_held(tmp_path)
    with hold(tmp_path):
        pass


def test_a_child_that_ends_is_started_again_after_a_pause(tmp_path: Path) -> None:
    child = Child("service", ["--version"], tmp_path / "service.log")
    child.start()
    assert child.process is not None
    child.process.wait(30)
    said = child.look_after()
    assert said is not None and said.startswith("the service ended with code 2; starting it again in 1 s")
    assert child.look_after() is None, "not before its pause is over"
    child.next_start = 0.0
    assert child.look_after() == "the service has been started again"
    child.stop()
    assert not child.running
    assert child.pause == 2.0


def test_last_words_are_those_since_the_start(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text("error: long ago\n")
    child = Child("service", ["fly"], log)
    child.start()
    assert child.process is not None
    child.process.wait(30)
    assert "no such command 'fly'" in child.last_words() and "long ago" not in child.last_words()
    child.stop()
