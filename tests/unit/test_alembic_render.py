"""Operations as Python code and as SQL: two strings each. What undoes them is an operation as well."""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
from pathlib import Path

import alembic.op
import pytest
from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.util import CommandError

import thanopg.alembic.op
from thanopg.alembic import (
    AddEmbeddingOp,
    CreateModelOp,
    DropEmbeddingOp,
    DropModelOp,
    InstallThanopgOp,
    ResumeEmbeddingsOp,
    SetEmbeddingIndexOp,
    SuspendEmbeddingsOp,
)
from thanopg.sqlalchemy.declaration import Embedding

IMAGE = Embedding(kind="image", source="image_path", model="shop", type="vector", index="auto")
HALF = Embedding(kind="image", source="image_path", model="shop", type="halfvec", index="later")
TEXT = Embedding(kind="text", source="caption", model="e5", type="vector", index="none")
CAPTION = Embedding(kind="caption", source="image_path", model="catalog")
ASKED = Embedding(
    kind="caption",
    source="그림 경로",
    model="o'neil",
    language="ko",
    prompt="What's 100% \\ of :this\tpicture?\n",
    attributes_column="Attributes",
)

CASES: list[tuple[MigrateOperation, str, str]] = [
    (
        AddEmbeddingOp("photo", "embedding", IMAGE),
        "op.add_image_embedding('photo', 'image_path', model='shop', column_name='embedding')",
        "SELECT thanopg.add_image_embedding('photo'::regclass, 'image_path', 'shop', column_name => 'embedding');",
    ),
    (
        AddEmbeddingOp("photo", "embedding", HALF, schema="store"),
        "op.add_image_embedding(\n        'photo',\n        'image_path',\n        model='shop',\n        "
        "column_name='embedding',\n        type='halfvec',\n        index='later',\n        schema='store',\n    )",
        "SELECT thanopg.add_image_embedding('store.photo'::regclass, 'image_path', 'shop', "
        "column_name => 'embedding', type => 'halfvec', index => 'later');",
    ),
    (
        AddEmbeddingOp("photo", "caption_e5", TEXT),
        "op.add_text_embedding('photo', 'caption', model='e5', column_name='caption_e5', index='none')",
        "SELECT thanopg.add_text_embedding('photo'::regclass, 'caption', 'e5', "
        "column_name => 'caption_e5', index => 'none');",
    ),
    (
        AddEmbeddingOp("photo", "caption", CAPTION),
        "op.add_caption('photo', 'image_path', model='catalog', column_name='caption')",
        "SELECT thanopg.add_caption('photo'::regclass, 'image_path', 'catalog', column_name => 'caption');",
    ),
    (
        DropEmbeddingOp("photo", "embedding"),
        "op.drop_embedding('photo', 'embedding')",
        "SELECT thanopg.drop_embedding('photo'::regclass, 'embedding');",
    ),
    (
        DropEmbeddingOp("order", "embedding", schema="My Shop", keep_column=True),
        "op.drop_embedding('order', 'embedding', keep_column=True, schema='My Shop')",
        """SELECT thanopg.drop_embedding('"My Shop"."order"'::regclass, 'embedding', keep_column => true);""",
    ),
    (
        SetEmbeddingIndexOp("photo", "embedding", "later", existing_index="now"),
        "op.set_embedding_index('photo', 'embedding', 'later', existing_index='now')",
        "SELECT thanopg.set_index('photo'::regclass, 'embedding', 'later');",
    ),
    (
        CreateModelOp("shop", base="catalog"),
        "op.create_model('shop', base='catalog')",
        "SELECT thanopg.create_model('shop', base => 'catalog');",
    ),
    (
        DropModelOp("shop", source="ViT-B-32/openai"),
        "op.drop_model('shop', source='ViT-B-32/openai')",
        "SELECT thanopg.drop_model('shop');",
    ),
    (
        SuspendEmbeddingsOp("photo"),
        "op.suspend_embeddings('photo')",
        "LOCK TABLE photo IN ACCESS EXCLUSIVE MODE;\n\n"
        "SELECT thanopg.clear_triggers(c.id) FROM thanopg.embedding_column c "
        "WHERE c.target = 'photo'::regclass ORDER BY c.id;",
    ),
    (
        ResumeEmbeddingsOp("상품:100%", schema="store"),
        "op.resume_embeddings('상품:100%', schema='store')",
        "SELECT thanopg.mend_triggers(c.id) FROM thanopg.embedding_column c "
        """WHERE c.target = 'store."상품:100%"'::regclass ORDER BY c.id;""",
    ),
]


def code(operation: MigrateOperation) -> str:
    return render_python_code(UpgradeOps([operation]))


def offline() -> tuple[Operations, io.StringIO]:
    output = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "literal_binds": True, "output_buffer": output}
    )
    return Operations(context), output


def sql(operation: MigrateOperation) -> str:
    operations, output = offline()
    operations.invoke(operation)
    return output.getvalue().strip()


@pytest.mark.parametrize(("operation", "python", "statement"), CASES)
def test_operation(operation: MigrateOperation, python: str, statement: str) -> None:
    assert python in code(operation)
    assert sql(operation) == statement


@pytest.mark.parametrize("operation", [operation for operation, _, _ in CASES] + [AddEmbeddingOp("p", "c", ASKED)])
def test_what_is_rendered_does_the_same(operation: MigrateOperation) -> None:
    operations, output = offline()
    exec(f"if True:\n    {code(operation)}", {"op": operations})
    assert output.getvalue().strip() == sql(operation)


@pytest.mark.parametrize(
    "operation",
    [
        AddEmbeddingOp("photo", "embedding", HALF, schema="store"),
        AddEmbeddingOp("photo", "caption", ASKED),
        AddEmbeddingOp("photo", "embedding", IMAGE, adopts=True),
        SetEmbeddingIndexOp("photo", "embedding", "later", existing_index="now"),
        CreateModelOp("shop", base="catalog"),
        DropModelOp("shop", source="ViT-B-32/openai"),
        SuspendEmbeddingsOp("photo", schema="store"),
    ],
)
def test_there_and_back_again(operation: MigrateOperation) -> None:
    assert vars(operation.reverse().reverse()) == vars(operation)
    assert code(operation.reverse()) != code(operation)


def test_signs_of_every_kind_come_through() -> None:
    assert sql(AddEmbeddingOp("p", "c", ASKED)) == (
        "SELECT thanopg.add_caption('p'::regclass, '그림 경로', 'o''neil', column_name => 'c', language => 'ko', "
        "prompt => E'What''s 100% \\\\ of :this\\tpicture?\\n', attributes_column => 'Attributes');"
    )


def test_a_comment_is_above_the_call() -> None:
    commented = AddEmbeddingOp("photo", "embedding", IMAGE, comment="why\nso")
    assert "    # why so\n    op.add_image_embedding(" in code(commented)


def test_what_it_was_must_be_known_to_undo_it() -> None:
    with pytest.raises(CommandError, match=r"what photo\.embedding was is not known"):
        DropEmbeddingOp("photo", "embedding").reverse()


def test_type_checkers_see_the_same_signatures() -> None:
    stub = ast.parse(Path(thanopg.alembic.op.__file__).with_suffix(".pyi").read_text())
    functions = {each.name: each for each in stub.body if isinstance(each, ast.FunctionDef)}
    kinds = [AddEmbeddingOp, DropEmbeddingOp, SetEmbeddingIndexOp, CreateModelOp, DropModelOp, SuspendEmbeddingsOp]
    registered = {
        name: getattr(kind, name)
        for kind in [*kinds, ResumeEmbeddingsOp, InstallThanopgOp]
        for name in vars(kind)
        if not name.startswith("_") and name in dir(Operations)
    }
    assert functions.keys() == registered.keys()
    for name, method in registered.items():
        source = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
        assert isinstance(source, ast.FunctionDef)
        source.args.args = source.args.args[2:]  # cls, operations
        assert ast.dump(functions[name].args) == ast.dump(source.args), name
        assert ast.get_docstring(functions[name]) == ast.get_docstring(source), name
        assert getattr(thanopg.alembic.op, name) is getattr(alembic.op, name)
