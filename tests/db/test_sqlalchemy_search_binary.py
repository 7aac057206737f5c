"""search(…) in a column with a binary index: candidates by the index, ranked by their vectors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine, MetaData, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

from tests.databases import clone
from tests.engines import engine_of
from tests.running_service import RunningService
from thanopg.database.server import EmbeddedServer
from thanopg.sqlalchemy import Vector, image_embedding, search

DIMENSIONS, ROWS, K = 64, 2000, 10


class Base(DeclarativeBase):
    metadata = MetaData()


class Signed(Base):
    __tablename__ = "signed"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_path: Mapped[str | None]
    kind: Mapped[int]
    embedding: Mapped[Vector | None] = image_embedding(
        "image_path", model="fake", type="halfvec", index="binary", dimensions=DIMENSIONS
    )


class Unsized(Base):
    __tablename__ = "unsized"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_path: Mapped[str | None]
    embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake", index="binary")


@pytest.fixture(scope="module")
def signed_engine(server: EmbeddedServer, template: str, service: RunningService) -> Iterator[Engine]:
    """Tables signed, of 2,000 rows, and unsized, of none."""
    vectors = np.random.default_rng(4).standard_normal((ROWS, DIMENSIONS))
    with clone(server, template) as made, engine_of(made) as engine, engine.connect() as connection:
        connection.execute(text(f"SELECT create_model('fake', source => 'fake:{DIMENSIONS}', base => 'base')"))
        Base.metadata.create_all(connection)
        connection.execute(text("ALTER TABLE signed DISABLE TRIGGER USER"))
        connection.execute(
            text("INSERT INTO signed VALUES (:id, 'x', :kind, :vector)"),
            [{"id": i, "kind": i % 3, "vector": str(vector.tolist())} for i, vector in enumerate(vectors)],
        )
        connection.execute(text("ANALYZE signed"))
        connection.commit()
        yield engine


@pytest.fixture
def session(signed_engine: Engine) -> Iterator[Session]:
    with Session(signed_engine) as made:
        made.execute(text("SET enable_seqscan = off; SET enable_bitmapscan = off"))
        made.commit()
        yield made


def explain(session: Session, statement: object) -> str:
    sql = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    return "\n".join(row[0] for row in session.connection().exec_driver_sql(f"EXPLAIN {sql}"))


def test_the_index_is_used(session: Session) -> None:
    other = aliased(Signed)
    for statement in (
        search(Signed, "x").limit(5),
        search(Signed, np.ones(DIMENSIONS)).where(Signed.kind == 1).limit(5).offset(3),
        search(other, "x").where(other.kind < 2).limit(5),
    ):
        plan = explain(session, statement)
        assert "Index Scan using signed_embedding_" in plan
        assert "<~>" in plan


def test_rows_are_ranked_by_their_vectors(session: Session) -> None:
    found = wanted = 0
    for words in ("검은 고양이", "빨간 원피스", "x"):
        for statement in (search(Signed, words), search(Signed, words).where(Signed.kind == 1)):
            rows = session.execute(statement.limit(K)).all()
            exact = session.execute(statement).all()[:K]  # without a limit every row is looked at
            assert len(rows) == K
            assert [similarity for _, similarity in rows] == sorted((s for _, s in rows), reverse=True)
            similarities = {row.id: similarity for row, similarity in session.execute(statement)}
            assert all(similarity == similarities[row.id] for row, similarity in rows)
            found += len({row.id for row, _ in rows} & {row.id for row, _ in exact})
            wanted += K
    assert found >= 0.6 * wanted  # of random vectors signs tell little; by chance it were a tenth


def test_few_rows_are_all_found(session: Session) -> None:
    statement = search(Signed, "x").where(Signed.id < 7).limit(K)
    assert sorted(row.id for row, _ in session.execute(statement)) == list(range(7))


def test_without_dimensions_every_row_is_looked_at(session: Session) -> None:
    assert "binary_quantize" not in str(search(Unsized, "x").limit(5).compile(session.get_bind()))
    assert session.execute(search(Unsized, "x").limit(5)).all() == []
