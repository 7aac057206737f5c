"""docker-compose.yml, played without Docker: every service's command as an ordinary process of this machine.

What containers differ in is translated and nothing else: names of hosts become loopback, ports free ones, mounted files
and volumes directories of the test. The database's image is a server as initdb leaves it, set up as that image's
entrypoint sets one up: https://github.com/docker-library/postgres, docker-entrypoint.sh.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg import sql
from ruamel.yaml import YAML

from tests.command import ROOT
from tests.plain_server import PlainServer
from thanopg.database.connect import connect

SECONDS = 120.0
SECRETS = "/run/secrets"
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def read(name: str) -> dict[str, Any]:
    """The file with its anchors resolved, and with the defaults of its variables."""
    text = DEFAULT.sub(r"\1", (ROOT / name).read_text())
    return dict(YAML(typ="safe").load(text))


def image_environment() -> dict[str, str]:
    """ENV of the Dockerfile's last stage, without PATH."""
    last = (ROOT / "Dockerfile").read_text().split("\nFROM ")[-1]
    words = [word for line in last.splitlines() if line.startswith("ENV ") for word in shlex.split(line[4:])]
    return {name: value for name, value in (word.split("=", 1) for word in words) if name != "PATH"}


class Machine:
    """Where the services run: a server, a directory for secrets, one for volumes, and ports that are free."""

    def __init__(self, server: PlainServer, directory: Path, ports: dict[str, int]) -> None:
        self.server = server
        self.directory = directory
        self.ports = ports
        self.compose = read("docker-compose.yml")
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self._secrets = directory / "secrets"
        self._secrets.mkdir()

    def write_secrets(self) -> None:
        """As the file's first lines say."""
        for name, secret in self.compose["secrets"].items():
            assert secret["file"] == f"./secrets/{name}"
            (self._secrets / name).write_text(f"a secret of {name}\n")

    def order(self) -> Iterator[str]:
        """Services, each behind those that it depends on."""
        left = dict(self.compose["services"])
        while left:
            ready = [name for name, service in left.items() if not set(service.get("depends_on", {})) & set(left)]
            assert ready, "services depend on each other in a circle"
            yield ready[0]
            del left[ready[0]]

    def start(self, name: str) -> None:
        service = self.compose["services"][name]
        for other, how in service.get("depends_on", {}).items():
            self._wait(other, how["condition"])
        if name == "database":
            self._set_up_database(service)
            return
        with (self.directory / f"{name}.log").open("wb") as log:
            self.started[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "thanopg", *map(self._translated, service["command"])],
                cwd=self.directory, env=self._environment(name), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def is_healthy(self, name: str) -> bool:
        kind, program, *arguments = self.compose["services"][name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = {"python": sys.executable, "pg_isready": self.server.binaries.program("pg_isready")}[program]
        translated = list(map(self._translated, arguments))
        if name == "database":
            translated.append(f"--port={self.ports['5432']}")
        done = subprocess.run(
            [command, *translated], env=self._environment(name), cwd=self.directory, capture_output=True, timeout=60
        )
        return done.returncode == 0

    def stop(self) -> dict[str, int]:
        """What is left is asked to end, as `docker compose down` does; exit codes."""
        left = {name: process for name, process in self.started.items() if process.poll() is None}
        for process in left.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(SECONDS) for name, process in left.items()}

    def kill(self) -> None:
        for process in self.started.values():
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def _wait(self, name: str, condition: str) -> None:
        if condition == "service_completed_successfully":
            assert self.started[name].wait(SECONDS) == 0, self.log(name)
            return
        assert condition == "service_healthy"
        self.wait_until_healthy(name)

    def wait_until_healthy(self, name: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.is_healthy(name):
            process = self.started.get(name)
            assert process is None or process.poll() is None, self.log(name)
            assert time.monotonic() < deadline, f"{name} is not healthy: {self.log(name) if process else ''}"
            time.sleep(0.1)

    def _set_up_database(self, service: dict[str, Any]) -> None:
        name = service["environment"]["POSTGRES_DB"]
        with connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        for volume in service["volumes"]:
            source, target, *_ = volume.split(":")
            if target.startswith("/docker-entrypoint-initdb.d/"):
                self._play(ROOT / source, self.server.url(name))

    def _play(self, file: Path, url: str) -> None:
        program = os.fspath(self.server.binaries.program("psql"))
        command = [program, "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--no-password", url]
        done = subprocess.run(command, input=self._translated(file.read_text()), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def _environment(self, name: str) -> dict[str, str]:
        """Nothing of this machine's but what a program needs to start."""
        given = {**image_environment(), **self.compose["services"][name].get("environment", {})}
        kept = {variable: os.environ[variable] for variable in ("PATH", "HOME", "TMPDIR") if variable in os.environ}
        ours = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        return {**kept, **ours, **{variable: self._translated(value) for variable, value in given.items()}}

    def _translated(self, text: str) -> str:
        if text in ("0.0.0.0", "service"):
            return "127.0.0.1"
        if text in self.ports:
            return str(self.ports[text])
        for there, here in (
            (SECRETS, str(self._secrets)),
            ("/pictures", str(self.directory / "pictures")),
            ("/models", str(self.directory / "models")),
            ("@database/", f"@127.0.0.1:{self.ports['5432']}/"),
            ("127.0.0.1:9433/", f"127.0.0.1:{self.ports['9433']}/"),
        ):
            text = text.replace(there, here)
        return text
