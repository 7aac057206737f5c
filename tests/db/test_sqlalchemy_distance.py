"""`Photo.embedding.distance(…)` and `.similarity(…)`: by whatever people search, once, with the index."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pgvector import HalfVector, Vector
from PIL import Image, ImageOps
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, aliased

from tests.photo_model import DIMENSIONS, Category, EmptyPhoto, Photo, nearest, vector_of
from tests.working import LIMITS, picture
from thanopg.errors import InvalidArgument
from thanopg.images.decode import decode
from thanopg.models.fake import FakeEmbedder
from thanopg.sqlalchemy import Key

EMBEDDER = FakeEmbedder(DIMENSIONS)


def vector_of_picture(data: bytes) -> NDArray[np.float32]:
    return EMBEDDER.embed_images(decode(data, EMBEDDER.preprocessing, LIMITS)[None])[0]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


VECTOR = vector_of("x")
QUERIES: dict[str, tuple[Callable[[Session], object], NDArray[np.float32]]] = {
    "text": (lambda _: "밝은 빨간색 원피스 ' \" \\ % :x", vector_of("밝은 빨간색 원피스 ' \" \\ % :x")),
    "image": (lambda _: picture(3), vector_of_picture(picture(3))),
    "buffer": (lambda _: memoryview(picture(3)), vector_of_picture(picture(3))),
    "PIL": (lambda _: opened(picture(3)), vector_of_picture(picture(3))),
    "list": (lambda _: VECTOR.tolist(), VECTOR),
    "tuple": (lambda _: tuple(VECTOR.tolist()), VECTOR),
    "NumPy": (lambda _: VECTOR, VECTOR),
    "NumPy float64": (lambda _: VECTOR.astype(np.float64), VECTOR),
    "pgvector": (lambda _: Vector(VECTOR), VECTOR),
    "pgvector half": (lambda _: HalfVector(VECTOR), VECTOR.astype(np.float16).astype(np.float32)),
    "SQL": (lambda _: select(Photo.embedding).where(Photo.id == 7), EMBEDDER.embed_texts(["x"]).vectors[0]),
    "SQL function": (lambda _: func.thanopg.embed_text("x", "fake"), VECTOR),
}


@pytest.mark.parametrize("attribute", [Photo.embedding, Photo.half, aliased(Photo).half], ids=str)
@pytest.mark.parametrize("query", QUERIES)
def test_each_kind_of_query(
    photo_session: Session, photo_vectors: NDArray[np.float32], query: str, attribute: object
) -> None:
    make, vector = QUERIES[query]
    if query == "SQL":
        vector = photo_vectors[7]
    photo = attribute.parent.entity  # type: ignore[attr-defined]
    distance = attribute.distance(make(photo_session))  # type: ignore[attr-defined]
    statement = select(photo.id, distance).where(photo.id < 50, attribute.is_not(None)).order_by(distance)  # type: ignore[attr-defined]
    rows = photo_session.execute(statement).all()
    expected = {i: 1 - float(photo_vectors[i] @ vector) for i in nearest(photo_vectors, vector) if i < 50}
    assert dict(map(tuple, rows)) == pytest.approx(expected, abs=2e-3)
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)


def test_another_row(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    row = photo_session.get_one(Photo, 7)
    for query in (row, Key(7)):
        near = select(Photo.id).order_by(Photo.embedding.distance(query)).limit(5)
        assert list(photo_session.scalars(near)) == nearest(photo_vectors, photo_vectors[7])[:5]
    # of another table, where one column has the same model
    with pytest.raises(InvalidArgument, match="Photo has 2 embedding columns of the model 'fake'"):
        EmptyPhoto.embedding.distance(row)
    other = EmptyPhoto(id=1, image_path="x", embedding=photo_vectors[3].tolist())
    photo_session.add(other)
    photo_session.flush()
    near = select(Photo.id).order_by(Photo.embedding.distance(other)).limit(5)
    assert list(photo_session.scalars(near)) == nearest(photo_vectors, photo_vectors[3])[:5]
    photo_session.rollback()


@pytest.mark.parametrize("name", ["RGBA", "L", "P", "CMYK", "1", "LA", "I;16", "F", "HSV"])
def test_pictures_of_every_mode(photo_session: Session, name: str) -> None:
    image = Image.new("F", (8, 8), 100.0) if name == "F" else opened(picture(5)).convert(name)
    assert photo_session.scalar(select(Photo.embedding.distance(image)).where(Photo.id == 1)) is not None


def test_a_picture_is_taken_as_it_is_shown(photo_session: Session) -> None:
    """A camera that was held upright says so in a tag."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    opened(picture(4)).save(buffer, "PNG", exif=exif)
    distances = select(
        *(Photo.embedding.distance(query) for query in (buffer.getvalue(), opened(buffer.getvalue()))),
        Photo.embedding.distance(ImageOps.exif_transpose(opened(buffer.getvalue()))),
        Photo.embedding.distance(opened(picture(4))),
    ).where(Photo.id == 1)
    file, image, upright, lying = photo_session.execute(distances).one()
    assert file == image == upright != lying


def test_similarity(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    similarity = Photo.embedding.similarity("x")
    rows = photo_session.execute(select(Photo.id, similarity).order_by(similarity.desc()).limit(9)).all()
    assert [row[0] for row in rows] == nearest(photo_vectors, VECTOR)[:9]  # rows without a vector do not come first
    assert [row[1] for row in rows] == pytest.approx([float(photo_vectors[row[0]] @ VECTOR) for row in rows], abs=1e-6)
    above = select(func.count()).where(similarity > 0.5)
    assert photo_session.scalar(above) == sum(
        float(photo_vectors[i] @ VECTOR) > 0.5 for i in nearest(photo_vectors, VECTOR)
    )


@pytest.mark.parametrize("attribute", [Photo.embedding, Photo.half], ids=str)
@pytest.mark.parametrize("query", ["a black cat", VECTOR, Key(7), picture(3)], ids=["text", "vector", "row", "image"])
def test_the_index_is_used(photo_session: Session, attribute: object, query: object) -> None:
    photo_session.execute(text("SET enable_indexscan = on; SET enable_seqscan = off"))
    for order in (attribute.distance(query), attribute.similarity(query).desc()):  # type: ignore[attr-defined]
        statement = select(Photo.id).join(Photo.category).where(Category.id < 3).order_by(order).limit(5)
        compiled = statement.compile(photo_session.get_bind())
        plan = photo_session.connection().exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
        assert "Index Scan using photo_embedding_" in "\n".join(row[0] for row in plan)


@pytest.mark.parametrize(
    ("query", "sqlstate", "said"),
    [
        ("", "22023", "the query text is empty"),
        (" \n　", "22023", "the query text is empty"),
        (b"", "22023", "the query image is empty"),
        (b"no picture", "22000", "expected one of JPEG"),
        ([1.0, 2.0], "22000", "different vector dimensions 16 and 2"),
        ([float("nan")] * 16, "22000", "NaN not allowed"),
        ([], "22000", "vector must have at least 1 dimension"),
        (Key(-1), "P0002", "no row of photo has the key"),
        (Key(10), "55000", 'row {"id": 10} of photo has no vector yet'),
    ],
)
def test_errors_of_the_database(photo_session: Session, query: object, sqlstate: str, said: str) -> None:
    with pytest.raises(DBAPIError) as error:
        photo_session.execute(select(Photo.id).order_by(Photo.embedding.distance(query)).limit(1))
    assert error.value.orig.sqlstate == sqlstate  # type: ignore[union-attr]
    assert said in str(error.value.orig)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (None, "expected a text, an image, a row or a vector to search by, not None"),
        (7, "not a value of type int"),
        (object(), "not a value of type object"),
        (Photo, "not a value of type DeclarativeAttributeIntercept"),
        (["a", "b"], "expected numbers in the query vector"),
        (np.ones((2, 16)), r"expected a vector of one dimension, not an array of shape \(2, 16\)"),
        (Key(1, 2), r"the key of photo is \(id\), not Key\(1, 2\)"),
        (Photo(id=5), "this Photo is not in the database yet"),
        (Category(id=5), "Category has no embedding columns of the model 'fake'"),
    ],
)
def test_errors_of_ours(query: object, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        Photo.embedding.distance(query)


def test_functions(photo_session: Session) -> None:
    vector, image = photo_session.execute(
        select(func.thanopg.embed_text("x", "fake"), func.thanopg.embed_image(picture(3), "fake"))
    ).one()
    assert vector == pytest.approx(VECTOR.tolist())
    assert image == pytest.approx(vector_of_picture(picture(3)).tolist())
    near = func.thanopg.search_image("x", "fake", 3, "photo", None, "embedding").table_valued("rank", "similarity")
    rows = photo_session.execute(select(near.c.rank, near.c.similarity)).all()
    assert [row.rank for row in rows] == [1, 2, 3]
    assert photo_session.scalar(select(func.thanopg.embed_text("x", "fake").cosine_distance(VECTOR))) < 1e-6
