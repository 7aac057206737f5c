"""docker-compose.yml: valid, without a secret in it, and what its services run works together, over dblink."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.command import ROOT, wait_for
from tests.compose import Machine, read
from tests.contrib import needs_contrib
from tests.plain_server import plain_server
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.draw import draw_product
from thanopg.catalog.phrases import title

FILES = ("docker-compose.yml", "docker-compose.gpu.yml")
OURS = ("install", "service", "worker")
PRODUCTS = 12


@pytest.mark.parametrize("name", FILES)
def test_the_compose_specification_is_kept(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_every_service_has() -> None:
    compose = read("docker-compose.yml")
    assert set(compose["services"]) == {"database", *OURS}
    for name, service in compose["services"].items():
        assert service["restart"] == ("on-failure" if name == "install" else "unless-stopped")
        assert ("healthcheck" in service) == (name != "install")
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert "ports" not in service
        for variable, value in service["environment"].items():
            assert "PASSWORD" not in variable or value in {f"/run/secrets/{s}" for s in service["secrets"]}
            assert not re.search(r"//[^/]*:[^/]*@", value), "a password in a URL"
    assert compose["services"]["worker"]["deploy"]["replicas"] == 1
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("./secrets/") and not (ROOT / ".git").joinpath(secret["file"]).exists()
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_gpu_file_changes_only_what_computes() -> None:
    changed = read("docker-compose.gpu.yml")["services"]
    assert set(changed) == {"service", "worker"}
    argument = re.search(r"^ARG (\w+)=", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert argument is not None
    for service in changed.values():
        assert set(service["build"]["args"]) == {argument[1]}
        assert service["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]


def test_the_image_is_made_of_what_is_there() -> None:
    text = (ROOT / "Dockerfile").read_text()
    sources = [word for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line
               for word in line.split()[1:-1]]  # fmt: skip
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources and {source for source in sources if not (ROOT / source).exists()} == set()
    assert set(sources) <= let_in
    assert "\nUSER thanopg\n" in text.split("\nFROM ")[-1] and "\nVOLUME /models\n" in text
    program = re.search(r'^RUN python -c "(.*?)" > torch.txt', text, re.MULTILINE)
    assert program is not None
    done = subprocess.run([sys.executable, "-c", program[1]], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert [line.split("=")[0] for line in done.stdout.splitlines()] == ["torch", "torchvision"], done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as resources:
        free = [resources.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        ports = dict(zip(("5432", "5433", "9433"), [s.getsockname()[1] for s in free], strict=True))
        resources.close()
        with plain_server(contrib=True, port=ports["5432"]) as server:
            made = Machine(server, tmp_path, ports)
            yield made
            made.kill()


@needs_contrib
def test_the_services_started_by_hand_answer_a_search(machine: Machine) -> None:
    pictures = machine.directory / "pictures"
    pictures.mkdir()
    products = make_products(PRODUCTS, seed=5)
    for number, product in enumerate(products):
        draw_product(product, 192).save(pictures / f"{number}.png")
    machine.write_secrets()
    order = list(machine.order())
    assert order.index("database") < order.index("install") < order.index("worker")
    for name in order:
        machine.start(name)
    for name in ("service", "worker"):
        machine.wait_until_healthy(name)
    assert "queries reach the service through the extension dblink" in machine.log("install")
    assert "warning" not in machine.log("install")

    owner = machine.server.url("thanopg", "thanopg_owner", "a secret of owner")
    with psycopg.connect(owner, autocommit=True) as connection:
        rights = "SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolbypassrls"
        assert connection.execute(rights).fetchall() == [("postgres",)]
        connection.execute("CREATE TABLE product (id int PRIMARY KEY, image_path text)")
        connection.execute("SELECT add_image_embedding('product', 'image_path', 'catalog')")
        connection.execute("INSERT INTO product SELECT i, i || '.png' FROM generate_series(0, %s) i", [PRODUCTS - 1])
        status = "SELECT embedded, failed FROM embedding_status"
        wait_for(lambda: connection.execute(status).fetchone() == (PRODUCTS, 0))
        query = title(products[3].attributes, "ko")
        rows = connection.execute("SELECT (key->>'id')::int FROM search_image(%s, 'catalog', 3)", [query]).fetchall()
        assert (3,) in rows
    assert machine.stop() == {"service": 0, "worker": 0}
