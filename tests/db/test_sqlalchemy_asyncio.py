"""The same over asyncio, with psycopg and with asyncpg, whether pgvector's codec is registered there or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pgvector.asyncpg import register_vector
from sqlalchemy import event, func, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column
from sqlalchemy.pool import NullPool

from tests.databases import Database
from tests.photo_model import Photo, nearest, vector_of
from tests.working import picture
from thanopg.models.fake import FakeEmbedder
from thanopg.sqlalchemy import Key, Vector, image_embedding, search

DRIVERS = ["psycopg", "asyncpg", "asyncpg registered"]


@asynccontextmanager
async def async_engine_of(database: Database, driver: str) -> AsyncIterator[AsyncEngine]:
    url = make_url(database.url).set(drivername=f"postgresql+{driver.split()[0]}")
    engine = create_async_engine(url, poolclass=NullPool)
    if driver.endswith("registered"):

        @event.listens_for(engine.sync_engine, "connect")
        def register(connection: Any, _: object) -> None:
            connection.run_async(register_vector)

    yield engine
    await engine.dispose()


@pytest.mark.parametrize("driver", DRIVERS)
def test_search(photo_rows: Database, photo_vectors: NDArray[np.float32], driver: str) -> None:
    async def run() -> None:
        async with async_engine_of(photo_rows, driver) as engine, AsyncSession(engine) as session:
            await session.execute(text("SET enable_indexscan = off"))
            row = await session.get_one(Photo, 7)
            for query, vector, itself in (
                ("검은 고양이", vector_of("검은 고양이"), -1),
                (photo_vectors[9], photo_vectors[9], -1),
                (photo_vectors[9].tolist(), photo_vectors[9], -1),
                (Key(7), photo_vectors[7], 7),
                (row, photo_vectors[7], 7),
            ):
                even = nearest(photo_vectors, vector, lambda i, itself=itself: i % 2 == 1 and i != itself)  # type: ignore[misc]
                found = await session.execute(
                    search(Photo, query, column="embedding")
                    .where(Photo.id % 2 == 1)
                    .options(joinedload(Photo.category))
                    .limit(5)
                )
                rows = found.all()
                assert [photo.id for photo, _ in rows] == even[:5]
                assert rows[0].similarity == pytest.approx(float(photo_vectors[even[0]] @ vector), abs=1e-6)
                assert rows[0].Photo.category.name
                half = await session.scalars(search(Photo, query, column="half").limit(5))
                assert len(half.all()) == 5
            stream = await session.stream(search(Photo, picture(3), column="half").limit(30))
            assert len([photo.id async for photo, _ in stream]) == 30
            loaded = await session.execute(select(Photo.embedding, Photo.half).where(Photo.id == 7))
            for value in loaded.one():
                assert value == pytest.approx(photo_vectors[7].tolist(), abs=1e-3)
            vector = await session.scalar(select(func.thanopg.embed_text("x", "fake")))
            assert vector == pytest.approx(vector_of("x").tolist())
            with pytest.raises(DBAPIError, match="the query text is empty") as error:
                await session.execute(search(Photo, "", column="half").limit(1))
            assert error.value.orig.sqlstate == "22023"  # type: ignore[union-attr]

    asyncio.run(run())


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_create_insert_drop(database: Database, model: FakeEmbedder, driver: str) -> None:
    class Base(DeclarativeBase):
        pass

    class Picture(Base):
        __tablename__ = "picture"
        id: Mapped[int] = mapped_column(primary_key=True)
        path: Mapped[str]
        embedding: Mapped[Vector | None] = image_embedding("path", model="fake", dimensions=8)
        half: Mapped[Vector | None] = image_embedding("path", model="fake", type="halfvec")

    async def run() -> None:
        async with async_engine_of(database, driver) as engine:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            async with AsyncSession(engine, expire_on_commit=False) as session:
                session.add(Picture(id=1, path="a", embedding=[1.0] * 8, half=[0.5] * 8))
                session.add(Picture(id=2, path="b"))
                await session.commit()
                one = (await session.scalars(search(Picture, [1.0] * 8, column="embedding"))).one()
                await session.refresh(one, ["half"])
                assert (one.id, one.half) == (1, [0.5] * 8)
                assert await session.scalar(text("SELECT count(*) FROM thanopg.pending")) == 4
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.drop_all)
                assert await connection.scalar(text("SELECT count(*) FROM thanopg.embedding")) == 0

    asyncio.run(run())
