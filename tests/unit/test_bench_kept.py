"""The last result is found again by model, device and machine; a cache that can't be used is done without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from thanopg.bench.kept import MOST_KEPT, keep, kept_path, kept_rate
from thanopg.bench.machine import machine
from thanopg.bench.report import Forward, Model, Pictures, Report, Texts

MODEL = Model(
    source="fake:8",
    fingerprint="f",
    dimensions=8,
    device="cpu",
    engine="torch",
    precision="fp32",
    text_engine="torch",
    tried=(),
)


def pictures(rate: float) -> Pictures:
    return Pictures(label="x", files=1, kilobytes=1, decode_ms=1, decode_exact_ms=1, images_per_second=rate)


REPORT = Report(
    measured_at="2026-01-01T00:00:00+00:00",
    machine=machine(),
    processors=2,
    decoders=2,
    model=MODEL,
    pictures=[pictures(200), pictures(100), pictures(20)],
    forward=Forward(what="vectors", batch=64, images_per_second=300, cpu_ms=3),
    texts=Texts(one_ms=10, batch=32, texts_per_second=500),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "캐시"))
    return tmp_path / "캐시"


def test_by_model_device_and_machine() -> None:
    assert kept_rate("f", "image") is None
    keep(replace(REPORT, machine="elsewhere", pictures=[pictures(7)]))
    assert kept_rate("f", "image") is None
    keep(REPORT)
    keep(replace(REPORT, model=replace(MODEL, device="cuda:1"), pictures=[pictures(4000)]))
    assert kept_rate("f", "image") == 4000, "measured last"
    assert kept_rate("f", "image", device="cpu") == 100, "of pictures in the middle"
    assert kept_rate("f", "image", device="cuda") == 4000
    assert kept_rate("f", "image", device="cuda:0") is None
    assert kept_rate("f", "text", device="cpu") == 500
    assert kept_rate("f", "caption", device="cpu") is None
    assert kept_rate("g", "image") is None
    keep(replace(REPORT, pictures=[pictures(50)]))
    assert kept_rate("f", "image", device="auto") == 50, "instead of the older one"


def test_only_so_many(cache: Path) -> None:
    for number in range(MOST_KEPT + 3):
        keep(replace(REPORT, model=replace(MODEL, fingerprint=str(number))))
    assert kept_rate("2", "image") is None and kept_rate("3", "image") == 100
    assert [path.name for path in cache.iterdir()] == ["bench.json"], "no draft is left"


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[1]", b"\xff\xfe", b'{"f|cpu|HERE": 3}', b'{"f|cpu|HERE": {"pictures": []}}']
)
def test_a_damaged_cache_is_done_without(damaged: bytes) -> None:
    keep(REPORT)
    kept_path().write_bytes(damaged.replace(b"HERE", machine().encode()))
    assert kept_rate("f", "image") is None
    keep(REPORT)
    assert kept_rate("f", "image") == 100


def test_a_cache_that_can_not_be_written_is_done_without(cache: Path) -> None:
    cache.write_text("no directory")
    keep(REPORT)
    assert kept_rate("f", "image") is None
    assert cache.read_text() == "no directory" and list(cache.parent.iterdir()) == [cache]
