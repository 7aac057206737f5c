"""The service in a thread of the test, and models whose forward passes the test lets through one by one."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.service_thread import ServiceThread
from thanopg.config import ImageLimits
from thanopg.images.pool import DecodePool
from thanopg.models.embedder import Embedder, TextEmbeddings
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder
from thanopg.service.settings import ServiceSettings

HERE = Path(__file__).parent
PATIENCE = 20.0
USER, PASSWORD = "caller", "it's a 비밀"
GATED = "fake:3"
"""the source whose passes wait for the gate"""
SLOW = "fake:5"
"""the source whose loading waits until `may_load` is set"""
BROKEN = "fake:6"
"""the source whose passes raise, with the text in what they say"""
TALKER = "fake:0"
"""the source that only writes captions"""
READER = "fake:9"
"""the source that only embeds texts"""


class GatedEmbedder(FakeEmbedder):
    """Every pass waits until the gate is open."""

    def __init__(self) -> None:
        super().__init__(3)
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.texts: list[str] = []

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        self.texts += texts
        self.entered.set()
        self.gate.wait(PATIENCE)
        return super().embed_texts(texts)

    def wait_entered(self) -> None:
        assert self.entered.wait(PATIENCE), "no pass has begun"


class BrokenEmbedder(FakeEmbedder):
    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        raise RuntimeError(f"can't embed {texts}")


class ReadingEmbedder(FakeEmbedder):
    def __init__(self) -> None:
        super().__init__(9)
        self.info = replace(self.info, can_embed_images=False)


class RunningService(ServiceThread):
    """`with RunningService(max_waiting=2) as service:`; keywords are ServiceSettings."""

    def __init__(self, **settings: Any) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="thanopg-"))
        base = ServiceSettings(
            user=USER,
            password=PASSWORD,
            unix_socket_dir=self.directory,
            host="127.0.0.1",
            port=0,
            http_port=0,
            limits=ImageLimits(bytes=1_000_000, pixels=1_000_000),
        )
        self.gated = GatedEmbedder()
        self.may_load = threading.Event()
        self.loads: list[str] = []
        chosen = replace(base, **settings)
        self._pool = DecodePool(1, chosen.limits)
        super().__init__(chosen, ModelLibrary(load=self._load), self._pool)

    def start(self) -> None:
        try:
            super().start()
        except BaseException:
            self._clean_up()
            raise

    def __exit__(self, *error: object) -> None:
        self.gated.gate.set()
        self.may_load.set()
        super().__exit__(*error)
        self._clean_up()

    def _clean_up(self) -> None:
        self._pool.close()
        shutil.rmtree(self.directory)

    @property
    def port(self) -> int:
        return self.server.port

    def dsn(self, *, tcp: bool = False, user: str = USER, password: str = PASSWORD, **options: object) -> str:
        host = "127.0.0.1" if tcp else str(self.directory)
        quoted = password.replace("\\", "\\\\").replace("'", "\\'")
        given = "".join(f" {name}={value}" for name, value in options.items())
        return f"host={host} port={self.port} user={user} password='{quoted}' dbname=any connect_timeout=10{given}"

    def _load(self, source: str, *, device: str | None = None) -> Embedder:
        self.loads.append(source)
        if source == GATED:
            return self.gated
        if source == BROKEN:
            return BrokenEmbedder(6)
        if source == READER:
            return ReadingEmbedder()
        if source == SLOW:
            self.may_load.wait(PATIENCE)
        return load_embedder(source, device=device)
