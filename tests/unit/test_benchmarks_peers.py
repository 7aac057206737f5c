"""Other tools beside us: what becomes of one that is not there, hangs, dies or answers wrongly. None is installed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from benchmarks.measure import interleave
from benchmarks.peers.available import available_peers
from benchmarks.peers.catalogue import CONSTRAINTS, PEERS, Peer
from benchmarks.peers.install import Step, first_failure, install, last_error, why_not
from benchmarks.peers.process import PeerFailed, PeerProcess

SCRIPT = """
import sys, time
print("말이 많은 모듈")
from pathlib import Path
import numpy as np
from benchmarks.peers.protocol import files, serve

def load(directory):
    print("loading", directory)
    def embed(pictures, batch):
        print("a peer may print what it likes")
        names = [path.name for path in files(pictures)]
        {body}
        return [[len(name), batch] for name in names]
    return embed

serve(load)
"""
HANGS = "import subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True); time.sleep(600)"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    directory = tmp_path / "pictures"
    directory.mkdir()
    for name in ("빨간 원피스.png", "a.png", "b.png"):
        Image.new("RGB", (4, 4)).save(directory / name)
    return directory


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[PeerProcess]]:
    processes: list[PeerProcess] = []
    yield processes
    for process in processes:
        process.close()


def peer(tmp_path: Path, body: str = "", **seconds: float) -> PeerProcess:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(body=body))
    return PeerProcess([sys.executable, script, tmp_path], tmp_path / "peer", **seconds)


def test_vectors_come_in_the_order_of_names(tmp_path: Path, pictures: Path, started: list[PeerProcess]) -> None:
    started.append(peer(tmp_path))
    for _ in range(2):
        seconds, vectors = started[0].embed(pictures, 3, 32)
        assert vectors.dtype == np.float32
        assert vectors.tolist() == [[5, 32], [5, 32], [10, 32]]
        assert 0 <= seconds < 60


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('그림이 아님\\\\nmore')", "failed making vectors of 3 pictures: ValueError: 그림이 아님"),
        ("import os; print('out of patience', file=sys.stderr, flush=True); os._exit(3)", "died .*: out of patience"),
        ("return [[1.0]]", "made 1 vectors of 3 pictures"),
    ],
)
def test_a_peer_that_fails_says_why_and_stays_ended(
    tmp_path: Path, pictures: Path, started: list[PeerProcess], body: str, reason: str
) -> None:
    started.append(peer(tmp_path, body))
    for _ in range(2):
        with pytest.raises(PeerFailed, match=reason):
            started[0].embed(pictures, 3, 32)


def test_a_hung_peer_is_ended_with_its_children(tmp_path: Path, pictures: Path, started: list[PeerProcess]) -> None:
    started.append(peer(tmp_path, HANGS))
    with pytest.raises(PeerFailed, match="hung making vectors of 3 pictures: no answer in"):
        started[0].embed(pictures, 3, 32, seconds=1)
    child = int((tmp_path / "peer" / "log.txt").read_text().split()[-1])
    end = time.monotonic() + 30
    while _lives(child):  # the signal is sent; when it arrives is the system's affair
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_peer_that_never_loads_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(PeerFailed, match=r"hung loading its model: no answer in 0\.5 seconds"):
        PeerProcess([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path, start_seconds=0.5)
    with pytest.raises(PeerFailed, match="died loading its model: ModuleNotFoundError: No module named 'no_such'"):
        PeerProcess([sys.executable, "-c", "import no_such"], tmp_path)


def test_a_peer_killed_between_calls(tmp_path: Path, pictures: Path, started: list[PeerProcess]) -> None:
    started.append(peer(tmp_path))
    os.kill(started[0].pid, signal.SIGKILL)
    with pytest.raises(PeerFailed, match=r"died|ended"):
        started[0].embed(pictures, 3, 32)


def test_what_a_failed_peer_is_compared_with_goes_on(
    tmp_path: Path, pictures: Path, started: list[PeerProcess], capsys: pytest.CaptureFixture[str]
) -> None:
    started.append(peer(tmp_path, "raise ValueError('열지 못함')"))
    figures = interleave("모두", {"ours": lambda: None, "theirs": lambda: started[0].embed(pictures, 3, 32)}, rounds=2)
    assert [figure.what for figure in figures] == ["ours"]
    assert "theirs: left out: failed making vectors of 3 pictures: ValueError: 열지 못함" in capsys.readouterr().err


def test_peers_are_skipped_with_a_reason(tmp_path: Path) -> None:
    missing, broken, hanging = (
        Peer(name=name, what=name, module=f"no_such_{name}", requirements=(), weights="open_clip")
        for name in ("missing", "broken", "there")
    )
    environments = tmp_path / "environments"
    environments.mkdir()
    (environments / "broken.skipped.txt").write_text("pip can't install it: ERROR: No matching distribution\n")
    (environments / "there" / "bin").mkdir(parents=True)
    (environments / "there" / "installed.txt").touch()
    (environments / "there" / "bin" / "python").symlink_to(sys.executable)
    peers = [missing, broken, hanging]
    with available_peers("local-dir:/model", tmp_path, environments=environments, peers=peers) as found:
        assert found.calls == {}
        reasons = dict(found.skipped)
    assert reasons["missing"] == "not installed: python -m benchmarks.peers install missing"
    assert reasons["broken"] == "pip can't install it: ERROR: No matching distribution"
    assert "died loading its model" in reasons["there"] and "no_such_there" in reasons["there"]


def test_the_first_step_that_fails_is_told() -> None:
    fine = Step((sys.executable, "-c", ""), 60, "fine")
    fails = Step((sys.executable, "-c", "raise SystemExit('ERROR: 없음')"), 60, "pip can't install it")
    hangs = Step((sys.executable, "-c", "import time; time.sleep(600)"), 0.5, "no virtual environment")
    assert first_failure([fine, fine]) is None
    assert first_failure([fine, fails, hangs]) == "pip can't install it: ERROR: 없음"
    assert first_failure([hangs, fails]) == "no virtual environment: not done after 0.5 seconds"


@pytest.mark.long
def test_what_pip_cannot_install_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    nowhere = Peer(name="nowhere", what="", module="json", requirements=("no-such==1",), weights="open_clip")
    reason = install(nowhere, tmp_path)
    assert reason is not None and reason.startswith("pip can't install it: ERROR: No matching distribution")
    assert why_not(nowhere, tmp_path) == reason


def test_what_is_installed_is_kept_until_it_asks_for_something_else(tmp_path: Path) -> None:
    nothing = Peer(name="nothing", what="", module="json", requirements=(), weights="open_clip")
    assert why_not(nothing, tmp_path) is not None
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "installed.txt").write_text("\n".join(CONSTRAINTS))
    assert install(nothing, tmp_path) is None
    assert [path.name for path in (tmp_path / "nothing").iterdir()] == ["installed.txt"]


def test_reasons_are_the_line_that_tells_most() -> None:
    assert last_error("ERROR: first\nERROR: the last\nnotice: a new pip") == "ERROR: the last"
    assert last_error("Traceback\n  File\nImportError: 모듈\n\n") == "ImportError: 모듈"
    assert last_error("") == "it said nothing"


def test_every_peer_is_pinned_and_has_a_script() -> None:
    for one in PEERS:
        assert (Path(__file__).parents[2] / one.module.replace(".", "/")).with_suffix(".py").exists()
        assert "==" in one.requirements[0]


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
