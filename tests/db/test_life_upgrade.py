"""A home of PostgreSQL 16 upgraded to 18 with pg_upgrade: the vectors move along, and the work goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np

from tests.db.conftest import DIMENSIONS
from tests.working import picture_uri, register_fake, vector, work_off
from thanopg.database.account import Account, server_account
from thanopg.database.binaries import Binaries, reachable_binaries, wheel_binaries
from thanopg.database.cluster import DATABASE, OWNER, SUPERUSER, create_cluster, ensure_roles, write_settings
from thanopg.database.connect import connect
from thanopg.database.home import Home
from thanopg.database.install import install, install_embedded
from thanopg.database.launch import launch
from thanopg.database.native_build import build_one
from thanopg.database.native_library import LIBRARY
from thanopg.database.server import EmbeddedServer

SECONDS = 170
ROWS = 5


def test_a_home_of_16_becomes_one_of_18(home: Path) -> None:
    place, account = Home(home), server_account(home / "data18")
    place.make(account)
    place.furnish(account)
    secrets = place.ensure_secrets()
    new = reachable_binaries(wheel_binaries(), home, account)
    old = Binaries(root=new.root.with_name("pginstall"), major=16)
    if not account.can_run(old.program("postgres")):  # they lie where this account may not go
        old = Binaries(root=wheel_binaries().root.with_name("pginstall"), major=16)
    create_cluster(place, old, account, secrets, fast=True)
    write_settings(place, fast=True)
    build_one(16, place.library / LIBRARY).chmod(0o755)
    with running(place, old, account):
        fill(place)
    before = place.data.with_name("data16")
    place.data.rename(before)

    # 18's initdb turns checksums on, and pg_upgrade wants both alike
    run(account, home, old.program("pg_checksums"), "--enable", "--no-sync", "-D", before)
    create_cluster(place, new, account, secrets, fast=True)
    (place.library / LIBRARY).unlink()
    build_one(18, place.library / LIBRARY).chmod(0o755)
    settings = f"-c dynamic_library_path='\\$libdir:{place.library}'"  # passes through two shells
    run(
        account,
        home,
        new.program("pg_upgrade"),
        *("--old-bindir", old.root / "bin", "--new-bindir", new.root / "bin"),
        *("--old-datadir", before, "--new-datadir", place.data, "--username", SUPERUSER, "--no-sync"),
        *("--old-options", settings, "--new-options", settings, "--socketdir", place.socket_directory),
        password=secrets.superuser,
    )

    server = EmbeddedServer(home, fast=True)
    server.start()
    install_embedded(server)
    with connect(server.url, autocommit=True) as connection:
        assert connection.info.server_version // 10000 == 18
        connection.execute("UPDATE photo SET image_path = %s WHERE id = 1", (picture_uri(11),))
        assert work_off(server.url).embedded == 2  # this one, and the one that was pending
        rows = connection.execute("SELECT id, fake_fake::real[] FROM photo").fetchall()
        pictures = {**{n: n for n in range(ROWS + 1)}, 1: 11}
        assert {n: np.float32(v).tolist() for n, v in rows} == {n: vector(s, DIMENSIONS) for n, s in pictures.items()}
        assert connection.execute("SELECT index FROM embedding_status").fetchone() == ("ready",)


def fill(place: Home) -> None:
    """A table with a dropped column before the others, embedded but for one row."""
    secrets = place.read_secrets()
    where = f"@/{{}}?host={quote(str(place.socket_directory), safe='')}"
    superuser_url = f"postgresql://{SUPERUSER}:{secrets.superuser}{where.format(DATABASE)}"
    with connect(superuser_url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
        ensure_roles(connection, secrets)
    url = f"postgresql://{OWNER}:{secrets.owner}{where.format(DATABASE)}"
    install(url, superuser_url=superuser_url)
    with connect(url, autocommit=True) as connection:
        register_fake(connection, DIMENSIONS)
        connection.execute("CREATE TABLE photo (gone int, id int PRIMARY KEY, image_path text)")
        connection.execute("ALTER TABLE photo DROP COLUMN gone")
        connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
        for n in range(ROWS):
            connection.execute("INSERT INTO photo VALUES (%s, %s)", (n, picture_uri(n)))
        assert work_off(url).embedded == ROWS
        connection.execute("INSERT INTO photo VALUES (%s, %s)", (ROWS, picture_uri(ROWS)))


@contextlib.contextmanager
def running(place: Home, binaries: Binaries, account: Account) -> Iterator[None]:
    settings = {
        "unix_socket_directories": str(place.socket_directory),
        "listen_addresses": "",
        "dynamic_library_path": f"$libdir:{place.library}",
    }
    process = launch(place, binaries, account, settings)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def run(account: Account, home: Path, *command: str | Path, password: str = "") -> None:
    """As the server's account, in a directory that it may write to: pg_upgrade leaves a script there."""
    place = home / "work"
    if not place.exists():
        account.make_directory(place)
    options = account.process_options()
    options |= {"cwd": place, "env": {**options["env"], "PGPASSWORD": password}}
    done = subprocess.run(
        [os.fspath(part) for part in command], capture_output=True, text=True, timeout=SECONDS, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
