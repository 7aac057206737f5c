"""pgvector-python's own ways with SQLAlchemy work on embedding columns as on any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pgvector.sqlalchemy import BIT, HALFVEC, SPARSEVEC, VECTOR, avg
from pgvector.sqlalchemy import sum as vector_sum
from sqlalchemy import cast, func, insert, inspect, select
from sqlalchemy.orm import Session

from tests.photo_model import DIMENSIONS, Photo

Vectors = NDArray[np.float32]


@pytest.mark.parametrize("attribute", [Photo.embedding, Photo.half], ids=str)
@pytest.mark.parametrize(
    ("method", "of"),
    [
        ("l2_distance", lambda v, q: float(np.linalg.norm(v - q))),
        ("max_inner_product", lambda v, q: -float(v @ q)),
        ("cosine_distance", lambda v, q: 1 - float(v @ q)),
        ("l1_distance", lambda v, q: float(np.abs(v - q).sum())),
    ],
)
def test_distances(
    photo_session: Session, photo_vectors: Vectors, attribute: Any, method: str, of: Callable[[Any, Any], float]
) -> None:
    for query in (photo_vectors[3], photo_vectors[3].tolist()):
        distance = getattr(attribute, method)(query)
        statement = select(Photo.id, distance).where(attribute.is_not(None), distance < 100)
        rows = photo_session.execute(statement.order_by(distance).limit(5)).all()
        assert rows[0][0] == 3 or method == "max_inner_product"
        assert [row[1] for row in rows] == pytest.approx(
            [of(photo_vectors[row[0]], photo_vectors[3]) for row in rows], abs=4e-3
        )
    between = select(Photo.id).order_by(getattr(attribute, method)(select(attribute).filter_by(id=3).scalar_subquery()))
    assert photo_session.scalars(between.where(attribute.is_not(None)).limit(1)).one() == 3


def test_aggregates(photo_session: Session, photo_vectors: Vectors) -> None:
    embedded = photo_vectors[np.arange(len(photo_vectors)) % 10 > 0]
    mean, total, half = photo_session.execute(
        select(avg(Photo.embedding), vector_sum(Photo.embedding), avg(Photo.half))
    ).one()
    assert mean == pytest.approx(embedded.mean(axis=0).tolist(), abs=1e-5)
    assert total == pytest.approx(embedded.sum(axis=0).tolist(), abs=1e-3)
    assert half == pytest.approx(embedded.mean(axis=0).tolist(), abs=1e-3)


def test_binary_quantize(photo_session: Session, photo_vectors: Vectors) -> None:
    bits = "".join("1" if x > 0 else "0" for x in photo_vectors[3])
    for attribute in (Photo.embedding, Photo.half):
        quantized = cast(func.binary_quantize(attribute), BIT(DIMENSIONS))
        rough = select(Photo.id).where(attribute.is_not(None)).order_by(quantized.hamming_distance(bits)).limit(20)
        assert 3 in photo_session.scalars(rough).all()
        # pgvector's re-ranking, with a distance of ours
        candidates = rough.subquery()
        again = (
            select(Photo.id)
            .join(candidates, candidates.c.id == Photo.id)
            .order_by(attribute.distance(photo_vectors[3]))
        )
        assert photo_session.scalars(again.limit(1)).one() == 3


def test_casts(photo_session: Session, photo_vectors: Vectors) -> None:
    halfway, sparse, full = photo_session.execute(
        select(
            cast(Photo.embedding, HALFVEC(DIMENSIONS)).label(
                "halfway"
            ),  # SQLAlchemy wants labels for two casts of one column
            cast(Photo.embedding, SPARSEVEC(DIMENSIONS)).label("sparse"),
            cast(Photo.half, VECTOR(DIMENSIONS)).label("full"),
        ).where(Photo.id == 3)
    ).one()
    for value in (halfway, sparse.to_list(), full):
        assert value == pytest.approx(photo_vectors[3].tolist(), abs=1e-3)


def test_writing(photo_session: Session, photo_vectors: Vectors) -> None:
    photo_session.execute(insert(Photo), [{"id": -1, "embedding": photo_vectors[3], "half": [0.5] * DIMENSIONS}])
    photo_session.add(Photo(id=-2, embedding=photo_vectors[4], half=photo_vectors[4].tolist()))
    photo_session.flush()
    photo_session.expire_all()
    photo = photo_session.get_one(Photo, -1)
    assert (photo.embedding, photo.half) == (pytest.approx(photo_vectors[3].tolist()), [0.5] * DIMENSIONS)
    photo_session.rollback()


def test_reflection(photo_session: Session) -> None:
    columns = {column["name"]: column["type"] for column in inspect(photo_session.get_bind()).get_columns("photo")}
    assert isinstance(columns["embedding"], VECTOR)
    assert isinstance(columns["half"], HALFVEC)
