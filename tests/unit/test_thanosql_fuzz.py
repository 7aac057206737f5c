"""Thousands of statements, sensible and not: the parser ends, raises only our error, and what it takes round-trips."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thanopg.errors import SyntaxNotUnderstood
from thanopg.thanosql.lexer import Lexer
from thanopg.thanosql.parser import parse
from thanopg.thanosql.planner import make_plan
from thanopg.thanosql.registry import Model, Registry, TableInfo
from thanopg.thanosql.render import render
from thanopg.thanosql.tree import Statement

REGISTRY = Registry(
    models=(Model("m", "b", "fake:4"),),
    tables=(TableInfo("public", "t", ("id", "image_path", "m_b")), TableInfo("public", "bare", ("id", "image_path"))),
)
WORDS = (
    *(
        "SEARCH",
        "IMAGE",
        "text",
        "images",
        "=",
        "USING",
        "m",
        "OPTIONS",
        "(",
        ")",
        "[",
        "]",
        ",",
        ";",
        ".",
        "AS",
        "SELECT",
    ),
    *(
        "*",
        "FROM",
        "t",
        "ORDER",
        "BY",
        "m_b_similarity1",
        "DESC",
        "LIMIT",
        "5",
        "OFFSET",
        "CONVERT",
        "PRINT",
        "COPY",
        "LIST",
    ),
    *(
        "MODEL",
        "TABLE",
        "THANOSQL",
        "GET",
        "BUILD",
        "DELETE",
        "PREDICT",
        "AUDIO",
        "JOIN",
        "LEFT",
        "WHERE",
        "id",
        "NULLS",
    ),
    *(
        "'a cat'",
        '"a dog"',
        "'it''s'",
        '"it\\"s"',
        "E'\\''",
        "$$x$$",
        "$a$y$a$",
        "--",
        "/*",
        "*/",
        "#",
        "$name",
        "$1",
        "1",
    ),
    *(
        "-1",
        "1e-4",
        ".5",
        "UNION",
        "OVER",
        "image_col='image_path'",
        "table_name=t",
        "top_k=3",
        "search_input='x'",
        "밝은",
    ),
    *("'빨간", "\n", "\t", "", '"', "'", "\\"),
)

values = st.sampled_from(
    ["'a cat'", '"a dog"', "'it''s'", r"'it\'s'", "5", "-1", "1e-4", "True", "None", "name", "$name", "['a', 'b']"]
)
options = st.lists(
    st.tuples(
        st.sampled_from(["image_col", "table_name", "batch_size", "top_k", "result_col", "nonsense", "overwrite"]),
        values,
    ),
    max_size=4,
).map(lambda pairs: f"OPTIONS ({', '.join(f'{key}={value}' for key, value in dict(pairs).items())})" if pairs else "")


def put(shape: str, **parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.fixed_dictionaries(parts).map(lambda drawn: shape.format(**drawn))


plain = st.sampled_from(
    [
        "SELECT * FROM t",
        "SELECT id, 'a;b' FROM t -- comment",
        "SELECT $name::int, $$)$$ FROM t WHERE id > 3 /* ( */",
        "WITH q AS (SELECT 1) SELECT * FROM q",
        "(SELECT * FROM t) UNION (SELECT * FROM t)",
        "LIST MODEL",
    ]
)
queries: st.SearchStrategy[str] = st.recursive(
    plain,
    lambda inner: st.one_of(
        put("SEARCH IMAGE text={v} USING m {o} AS {q}", v=values, o=options, q=inner),
        put("SEARCH IMAGE USING m OPTIONS (search_input={v}, top_k=2) AS ({q})", v=values, q=inner),
        put("CONVERT USING m {o} AS {q}", o=options, q=inner),
        put("SELECT id FROM ({q}) x ORDER BY m_b_similarity1 DESC LIMIT 5", q=inner),
        put("SELECT id FROM t, ( {q} ) JOIN ({q}) y ON true", q=inner),
    ),
    max_leaves=4,
)
statements = st.one_of(
    queries,
    put("PRINT IMAGE {o} AS ({q})", o=options, q=queries),
    put("PRINT IMAGE AS {q} ;", q=queries),
    put("COPY {n} {o} FROM {v}", n=st.sampled_from(["t", "public.t", '"T x"', "new"]), o=options, v=values),
    put("BUILD MODEL new USING catalog {o} AS {q}", o=options, q=queries),
    put("FIT MODEL new USING m {o} AS {q}", o=options, q=queries),
    put(
        "GET THANOSQL MODEL {b} {o} AS y",
        b=st.sampled_from(["clip", "ViT-B-32/openai", "hf-hub:a/b", "'x y'"]),
        o=options,
    ),
    st.just("DELETE MODEL m"),
)
chaos = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)


def check(statement: str) -> None:
    try:
        tree: Statement = parse(statement)
    except SyntaxNotUnderstood as error:
        assert error.message
        assert error.offset is not None
        assert 0 <= error.offset <= len(statement)
        assert "^" in error.underlined() or not statement
        return
    assert parse(render(tree)) == tree
    with suppress(SyntaxNotUnderstood):
        make_plan(statement, tree, REGISTRY, {"name": "a value"}, {}, [])


@settings(max_examples=500, deadline=None)
@given(statements)
def test_sensible_statements(statement: str) -> None:
    check(statement)


@settings(max_examples=500, deadline=None)
@given(statements, st.integers(0, 200), st.integers(1, 3), st.sampled_from(WORDS))
def test_statements_with_a_slip(statement: str, at: int, length: int, word: str) -> None:
    at %= len(statement)
    check(statement[:at] + word + statement[at + length :])


@settings(max_examples=800, deadline=None)
@given(chaos)
def test_words_in_any_order(statement: str) -> None:
    check(statement)


@settings(max_examples=500, deadline=None)
@given(st.text())
def test_any_text(statement: str) -> None:
    check(statement)


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_every_token_moves_on(statement: str) -> None:
    lexer, at = Lexer(statement), 0
    with suppress(SyntaxNotUnderstood):
        while (token := lexer.sql(at)).kind != "end":
            assert token.end > token.start >= at
            assert statement[token.start : token.end] == token.text
            at = token.end


@pytest.mark.parametrize("deep", ["(", "SELECT * FROM (", "SEARCH IMAGE text='a' USING m AS (", "/*", "[" * 3, "AS ("])
def test_deep_and_long(deep: str) -> None:
    for number in (30, 1000):
        check(deep * number)
        check("SELECT " + deep * number + "1" + ")" * number)
        check("PRINT IMAGE AS " + deep * number + "SELECT 1" + ")" * number)
