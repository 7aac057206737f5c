"""A folder like the tutorial's, with few pictures, and a session on a database of its own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PIL import Image

from tests.databases import Database
from tests.running_service import RunningService
from thanopg.config import Settings
from thanopg.models.library import ModelLibrary
from thanopg.thanosql.session import Session

PHOTOS = 30
COLUMNS = ("photo_id", "image_path", "photo_image_url", "photo_description", "ai_description")


def draw(path: Path, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The image root: tutorial_data/unsplash_data/unsplash.csv and the pictures that it names."""
    folder = tmp_path / "tutorial_data" / "unsplash_data"
    folder.mkdir(parents=True)
    with (folder / "unsplash.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n in range(PHOTOS):
            name = f"photo_{n:02}"
            draw(folder / f"{name}.png", n)
            path = f"tutorial_data/unsplash_data/{name}.png"
            description = f'사진 {n}, "인용"' if n % 3 else ""
            writer.writerow((name, path, f"https://unsplash.example/{name}", description, f"picture {n}"))
    return tmp_path


@pytest.fixture
def settings(root: Path) -> Settings:
    return Settings(home=root / "home", image_root=root, device="cpu")


@pytest.fixture
def model(connection: psycopg.Connection, service: RunningService) -> str:
    """The tutorial's model, on a base whose vectors need no weights."""
    connection.execute("SELECT create_model('tutorial_search_clip', 'clipen', source => 'fake:16')")
    return "tutorial_search_clip"


@pytest.fixture
def session(database: Database, settings: Settings, model: str, library: ModelLibrary) -> Iterator[Session]:
    with Session(database.url, settings, library=library) as made:
        yield made
