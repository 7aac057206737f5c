"""Autogenerate on a real database: what is declared, dropped or changed becomes code, and nothing is left to do."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pgvector.sqlalchemy import VECTOR
from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, MetaData, Table, Text
from sqlalchemy import text as sql

from tests.alembic_project import Project, body
from tests.databases import Database
from tests.declared import caption, image, photo, text
from tests.working import picture_uri, register_fake, vector, work_off


@pytest.fixture
def project(tmp_path: Path, database: Database, connection: psycopg.Connection) -> Iterator[Project]:
    """With models `fake` and `other`, and `words`, which writes captions. Whatever is warned of is an error."""
    register_fake(connection, 8)
    register_fake(connection, 16, "other")
    register_fake(connection, 0, "words")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "autoincrement")  # what Alembic says of its own code for a key's type
        yield Project(tmp_path / "migrations", database.url)


def migrate(project: Project, models: MetaData) -> str:
    """One generated revision, applied, undone and applied again; afterwards nothing is different."""
    project.models = models
    text = project.generate("revision")
    project.upgrade()
    project.check()
    project.downgrade()
    project.upgrade()
    project.check()
    return text


def columns(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT column_name::text, kind, source_name::text, model, type, index_policy "
        "FROM thanopg.embedding_column ORDER BY id"
    ).fetchall()


def test_a_table_with_its_embedding(project: Project, connection: psycopg.Connection) -> None:
    code = migrate(project, photo(image("embedding", "fake")))
    assert body(code).splitlines() == [
        "op.create_table('photo',",
        "sa.Column('id', sa.Integer(), nullable=False),",
        "sa.Column('image_path', sa.Text(), nullable=True),",
        "sa.PrimaryKeyConstraint('id')",
        ")",
        "op.add_image_embedding('photo', 'image_path', model='fake', column_name='embedding')",
    ]
    assert body(code, "downgrade").splitlines() == ["op.drop_embedding('photo', 'embedding')", "op.drop_table('photo')"]
    assert "import thanopg.alembic" in code
    assert columns(connection) == [("embedding", "image", "image_path", "fake", "vector(8)", "now")]


def test_an_embedding_of_a_column_that_comes_with_it(project: Project) -> None:
    migrate(project, photo())
    code = body(migrate(project, photo(Column("back", Text), image("embedding", "fake", source="back"))))
    assert code.splitlines() == [
        "op.add_column('photo', sa.Column('back', sa.Text(), nullable=True))",
        "op.add_image_embedding('photo', 'back', model='fake', column_name='embedding')",
    ]


def test_source_and_embedding_go_in_the_right_order(project: Project) -> None:
    migrate(project, photo(Column("back", Text), image("embedding", "fake", source="back", type="halfvec")))
    code = migrate(project, photo())
    assert body(code).splitlines() == ["op.drop_embedding('photo', 'embedding')", "op.drop_column('photo', 'back')"]
    again = (
        "op.add_image_embedding('photo', 'back', model='fake', column_name='embedding', type='halfvec', index='now')"
    )
    assert body(code, "downgrade").splitlines()[1] == again


def test_a_dropped_table(project: Project, connection: psycopg.Connection) -> None:
    migrate(project, photo(image("embedding", "fake"), *caption("caption", "words", attributes="facts")))
    code = migrate(project, MetaData())
    assert body(code).splitlines()[-1] == "op.drop_table('photo')"
    assert body(code).count("op.drop_embedding(") == 2
    down = body(code, "downgrade")
    assert "sa.Column('embedding'" not in down
    assert "'facts'" in down
    assert "sa.Column('facts'" not in down
    assert columns(connection) == []


def test_a_caption_comes_before_the_vector_of_its_text(project: Project, connection: psycopg.Connection) -> None:
    code = migrate(project, photo(text("vector", "fake"), *caption("caption", "words"), image("embedding", "fake")))
    order = [line.split("(")[0] for line in body(code).splitlines() if line.startswith("op.add")]
    assert order == ["op.add_caption", "op.add_image_embedding", "op.add_text_embedding"]
    assert body(code, "downgrade").splitlines()[0] == "op.drop_embedding('photo', 'vector')"
    assert [kind for _, kind, *_ in columns(connection)] == ["caption", "image", "text"]


def test_what_is_made_otherwise_is_made_anew(project: Project) -> None:
    def models(**changed: Any) -> MetaData:
        return photo(
            Column("note", Text),
            image("model", changed.get("model", "fake")),
            image("type", "fake", type=changed.get("type", "vector")),
            image("source", "fake", source=changed.get("source", "image_path")),
            text("kind", "fake", source="note") if "kind" in changed else image("kind", "fake"),
            *caption("language", "words", language=changed.get("language")),
            *caption("prompt", "words", prompt=changed.get("prompt")),
        )

    migrate(project, models())
    changed = {"model": "other", "type": "halfvec", "source": "note", "kind": "text"}
    changed |= {"language": "ko", "prompt": "뭐예요?"}
    code = migrate(project, models(**changed))
    assert set(re.findall("drop_embedding\\('photo', '(.*)'\\)", body(code))) == set(changed)
    comments = [line.strip() for line in code.splitlines() if line.startswith("    # ") and "; every row" in line]
    assert comments[: len(changed)] == [
        "# model: model 'fake' becomes 'other'; every row is embedded anew",
        "# type: type 'vector' becomes 'halfvec'; every row is embedded anew",
        "# source: source 'image_path' becomes 'note'; every row is embedded anew",
        "# kind: kind 'image' becomes 'text', source 'image_path' becomes 'note'; every row is embedded anew",
        "# language: language None becomes 'ko'; every row is embedded anew",
        "# prompt: prompt None becomes '뭐예요?'; every row is embedded anew",
    ]
    assert "# model: model 'other' becomes 'fake'; every row is embedded anew" in comments[len(changed) :]


def test_attributes_come_and_go_with_the_caption(project: Project) -> None:
    migrate(project, photo(*caption("caption", "words")))
    code = body(migrate(project, photo(*caption("caption", "words", attributes="facts"))))
    assert "add_column" not in code
    assert "attributes_column='facts'" in code
    assert "# caption: attributes column None becomes 'facts'" in code


def test_what_follows_a_caption_goes_and_comes_with_it(project: Project) -> None:
    migrate(project, photo(*caption("caption", "words"), text("vector", "fake", index="none")))
    code = body(
        migrate(project, photo(*caption("caption", "words", language="en"), text("vector", "fake", index="none")))
    )
    assert code.splitlines() == [
        "op.drop_embedding('photo', 'vector')",
        "op.drop_embedding('photo', 'caption')",
        "# caption: language None becomes 'en'; every row is embedded anew",
        "op.add_caption('photo', 'image_path', model='words', column_name='caption', language='en')",
        "# vector: caption, which it is made from, is written anew; every row is embedded anew",
        "op.add_text_embedding('photo', 'caption', model='fake', column_name='vector', index='none')",
    ]


def test_another_index_embeds_nothing_anew(
    project: Project, database: Database, connection: psycopg.Connection
) -> None:
    migrate(project, photo(image("embedding", "fake", index="none")))
    connection.execute("INSERT INTO photo VALUES (1, %s)", [picture_uri(1)])
    assert work_off(database.url).embedded == 1
    vector = connection.execute("SELECT embedding::text FROM photo").fetchone()
    code = migrate(project, photo(image("embedding", "fake", index="now")))
    assert body(code).strip() == "op.set_embedding_index('photo', 'embedding', 'now', existing_index='none')"
    assert connection.execute("SELECT index FROM embedding_status").fetchone() == ("ready",)
    migrate(project, photo(image("embedding", "fake", index="later")))
    migrate(project, photo(image("embedding", "fake", index="none")))
    assert connection.execute("SELECT index FROM embedding_status").fetchone() == ("none",)
    assert connection.execute("SELECT embedding::text FROM photo").fetchone() == vector
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (0,)


def test_a_binary_index_comes_changes_and_goes(project: Project, connection: psycopg.Connection) -> None:
    def operators() -> object:
        return connection.execute(
            "SELECT string_agg(o.opcname, ',') FROM pg_index x JOIN pg_opclass o ON o.oid = x.indclass[0] "
            "WHERE x.indrelid = 'photo'::regclass AND NOT x.indisprimary"
        ).fetchone()

    migrate(project, photo())
    code = migrate(project, photo(image("embedding", "fake", index="binary")))
    adding = "op.add_image_embedding('photo', 'image_path', model='fake', column_name='embedding', index='binary')"
    assert body(code).strip() == adding
    assert operators() == ("bit_hamming_ops",)
    code = migrate(project, photo(image("embedding", "fake", index="now")))
    assert body(code).strip() == "op.set_embedding_index('photo', 'embedding', 'now', existing_index='binary')"
    assert "'binary', existing_index='now'" in body(code, "downgrade")
    assert operators() == ("vector_cosine_ops",)
    migrate(project, photo(image("embedding", "fake", index="binary")))
    assert operators() == ("bit_hamming_ops",)
    code = migrate(project, photo())
    assert body(code).strip() == "op.drop_embedding('photo', 'embedding')"
    assert "index='binary'" in body(code, "downgrade")


@pytest.mark.parametrize("found", ["now", "later"])
def test_auto_is_either(project: Project, connection: psycopg.Connection, found: str) -> None:
    migrate(project, photo(image("embedding", "fake", index=found)))
    project.models = photo(image("embedding", "fake", index="auto"))
    project.check()


def test_an_index_of_ones_own_waits_for_the_column(project: Project) -> None:
    def models(model: str) -> MetaData:
        return photo(
            image("embedding", model, index="none"),
            *caption("caption", "words"),
            Index("words", sql("lower(caption)")),
            Index("near", "embedding", postgresql_using="hnsw", postgresql_ops={"embedding": "vector_l2_ops"}),
            Index("there", "id", postgresql_where=sql("embedding IS NOT NULL")),
            CheckConstraint("length(caption) > 0", name="said"),
        )

    code = body(migrate(project, models("fake")))
    assert code.index("op.add_caption") < code.index("op.create_check_constraint('said'")
    assert code.index("op.add_image_embedding") < code.index("op.create_index('near'")
    code = body(migrate(project, models("other")))
    assert [line.split("(")[0].removeprefix("op.") for line in code.splitlines() if line.startswith("op.")] == [
        "drop_index", "drop_index", "drop_embedding", "add_image_embedding", "create_index", "create_index"
    ]  # fmt: skip
    assert "'words'" not in code.replace("model='words'", "")
    migrate(project, photo())


def test_a_comment_on_the_column(project: Project, connection: psycopg.Connection) -> None:
    def models(model: str, comment: str | None) -> MetaData:
        metadata = photo(image("embedding", model))
        metadata.tables["photo"].c.embedding.comment = comment
        return metadata

    migrate(project, models("fake", "사진의 벡터"))
    migrate(project, models("other", "사진의 벡터"))
    query = (
        "SELECT col_description(attrelid, attnum) FROM pg_attribute "
        "WHERE attrelid = 'photo'::regclass AND attname = 'embedding'"
    )
    assert connection.execute(query).fetchone() == ("사진의 벡터",)
    migrate(project, models("other", None))
    assert connection.execute(query).fetchone() == (None,)


def test_the_type_of_source_and_key_may_change(
    project: Project, database: Database, connection: psycopg.Connection
) -> None:
    migrate(project, photo(image("embedding", "fake")))
    connection.execute("INSERT INTO photo VALUES (1, %s)", [picture_uri(1)])
    assert work_off(database.url).embedded == 1
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="used in a trigger"):
        connection.execute("ALTER TABLE photo ALTER COLUMN id TYPE bigint")
    metadata = MetaData()
    Table(
        "photo",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("image_path", Text),
        image("embedding", "fake"),
    )
    code = migrate(project, metadata)
    assert [line.split("(")[0] for line in body(code).splitlines() if line.startswith("op.")] == [
        "op.suspend_embeddings", "op.alter_column", "op.resume_embeddings"
    ]  # fmt: skip
    connection.execute("INSERT INTO photo VALUES (5000000000, %s)", [picture_uri(2)])
    assert work_off(database.url).embedded == 1


def test_an_ordinary_column_is_adopted_and_let_go(
    project: Project, database: Database, connection: psycopg.Connection
) -> None:
    migrate(project, photo())
    connection.execute("ALTER TABLE photo ADD COLUMN embedding vector(8)")
    connection.execute("INSERT INTO photo VALUES (1, %s, %s::real[])", [picture_uri(1), vector(1, 8)])
    code = migrate(project, photo(image("embedding", "fake")))
    adopting = "op.add_image_embedding('photo', 'image_path', model='fake', column_name='embedding')"
    assert body(code).strip() == adopting
    assert body(code, "downgrade").strip() == "op.drop_embedding('photo', 'embedding', keep_column=True)"
    code = migrate(project, photo(Column("embedding", VECTOR(8))))
    assert body(code).splitlines()[:2] == [
        "# the models have an ordinary column here: it stays, and nothing follows its source any more",
        "op.drop_embedding('photo', 'embedding', keep_column=True)",
    ]
    assert columns(connection) == []
    (kept,) = connection.execute("SELECT embedding::real[] FROM photo").fetchone() or ()
    assert kept == pytest.approx(vector(1, 8), abs=1e-6)


def test_what_was_made_by_hand_is_no_difference(project: Project, connection: psycopg.Connection) -> None:
    migrate(project, photo())
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', column_name => 'embedding')")
    project.models = photo(image("embedding", "fake"))
    project.check()
    connection.execute("ALTER TABLE photo RENAME COLUMN image_path TO path")
    connection.execute("ALTER TABLE photo RENAME TO picture")
    metadata = MetaData()
    renamed = image("embedding", "fake", source="path")
    Table("picture", metadata, Column("id", Integer, primary_key=True), Column("path", Text), renamed)
    project.models = metadata
    project.check()
