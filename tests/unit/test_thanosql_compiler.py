"""Statement in, SQL out: two strings each."""

from __future__ import annotations

import textwrap

import pytest

from thanopg.thanosql.fragment import Compiled, Fragment, Vector, assemble
from thanopg.thanosql.parser import parse
from thanopg.thanosql.plan import BuildPlan, CopyPlan, DeletePlan, GetPlan, Plan, PrintPlan, RowsPlan
from thanopg.thanosql.planner import make_plan
from thanopg.thanosql.registry import Embedding, Model, Registry, TableInfo

COLUMNS = ("photo_id", "image_path", "ai_description")
REGISTRY = Registry(
    models=(
        Model("clip1", "clipen", "ViT-B-32/openai"),
        Model("my_clip", "clip", "ViT-B-32/openai"),
        Model("words", "blip", "fake:0", can_embed_images=False, can_embed_texts=False, can_caption=True),
        Model("e5", "sbert", "fake:8", can_embed_images=False),
    ),
    tables=(
        TableInfo("public", "photo", (*COLUMNS, "clip1_clipen")),
        TableInfo("public", "other", ("id", "image_path", "convert_result")),
        TableInfo("public", "bare", ("id", "image_path")),
        TableInfo("public", "seen", ("id", "image_path"), is_table=False),
        TableInfo("shop", "item", ("id", "img", "my_clip_clip")),
        TableInfo("public", "signed", ("photo_id", "clip1_clipen")),
        TableInfo("public", "told", ("id", "image_path", "caption", "설명", "caption_vector")),
    ),
    embeddings=(
        Embedding(1, "public", "photo", "clip1_clipen", "clip1", "image_path"),
        Embedding(2, "public", "other", "convert_result", "clip1", "image_path"),
        Embedding(3, "public", "told", "caption", "words", "image_path", "caption"),
        Embedding(4, "public", "told", "caption_vector", "e5", "caption", "text"),
        Embedding(5, "public", "signed", "clip1_clipen", "clip1", "image_path", bits=512),
    ),
)


def plan_of(statement: str, warnings: list[str] | None = None, **parameters: object) -> Plan:
    return make_plan(statement, parse(statement), REGISTRY, parameters, {}, [] if warnings is None else warnings)


def rows_of(statement: str, **parameters: object) -> RowsPlan:
    plan = plan_of(statement, **parameters)
    assert isinstance(plan, RowsPlan)
    return plan


def text_of(fragment: Fragment) -> str:
    return assemble(fragment).text


def compiled(statement: str, **parameters: object) -> Compiled:
    return assemble(rows_of(statement, **parameters).sql)


def dedent(text: str) -> str:
    return textwrap.dedent(text).strip()


SAME = (
    "SELECT 1",
    "SELECT 'a;b', $$ ; $$, $x$ SEARCH IMAGE text='a' $x$, E'\\';', \"se;arch\" FROM t -- ; comment",
    "SELECT a /* SEARCH /* nested ; */ IMAGE */ FROM search image JOIN convert c USING (id) WHERE x = '(LIST MODEL)'",
    "SELECT data #> '{a}' FROM t WHERE b ->> 'c' = '#'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END",
    "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b)",
    "PREPARE p AS SELECT $1::int",
    "SELECT extract(year FROM now()), a IS DISTINCT FROM b FROM t FOR UPDATE",
    "DELETE FROM model WHERE id = 1",
    "EXPLAIN (ANALYZE) SELECT * FROM t",
    'SELECT "검색", U&"d\\0061t" FROM 사진 WHERE 이름 LIKE \'%원피스%\'',
    "INSERT INTO list (model) VALUES ('x')",
)


@pytest.mark.parametrize("statement", SAME)
def test_ordinary_sql_stays_as_it_is(statement: str) -> None:
    assert compiled(statement).text == statement
    assert compiled(f"  {statement} \n ;  ").text == statement if not statement.endswith("comment") else True


SIMILARITY = """nullif(1 - ("thanosql"."clip1_clipen" <=> ${n}::vector), 'NaN')"""
FIRST, SECOND = SIMILARITY.format(n=1), SIMILARITY.format(n=2)
PLAIN = f'SELECT thanosql.*, {FIRST} AS "clip1_clipen_similarity1" FROM (\nSELECT * FROM photo\n) AS thanosql'
SEARCHES = {
    'SEARCH IMAGE text="a black cat" USING clip1 AS SELECT * FROM photo': PLAIN,
    "search image texts = 'a black cat' using CLIP1 as (select * from photo)": PLAIN.replace(
        "SELECT * FROM photo", "select * from photo"
    ),
    "SEARCH IMAGE image='cat.jpg' USING clip1 AS SELECT * FROM photo ;": PLAIN,
    "SEARCH IMAGE texts=['a', \"b\"] USING clip1 AS SELECT * FROM photo -- all": (
        f'SELECT thanosql.*, {FIRST} AS "clip1_clipen_similarity1", {SECOND} AS "clip1_clipen_similarity2" FROM (\n'
        "SELECT * FROM photo -- all\n) AS thanosql"
    ),
    "SEARCH IMAGE text='a' USING clip1 OPTIONS (emb_col=clip1_clipen, column_name='result') AS SELECT * FROM photo": (
        PLAIN.replace("clip1_clipen_similarity1", "result")
    ),
    # the column has another name, and is the only one of the model
    "SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM other": (
        'SELECT thanosql.*, nullif(1 - ("thanosql"."convert_result" <=> $1::vector), \'NaN\') '
        'AS "clip1_clipen_similarity1" FROM (\nSELECT * FROM other\n) AS thanosql'
    ),
    "SEARCH IMAGE USING my_clip OPTIONS (search_by='text', search_input='a', top_k=None) AS SELECT * FROM shop.item": (
        'SELECT thanosql.*, nullif(1 - ("thanosql"."my_clip_clip" <=> $1::vector), \'NaN\') AS "search_result" FROM (\n'
        "SELECT * FROM shop.item\n) AS thanosql\n"
        'ORDER BY nullif(1 - ("thanosql"."my_clip_clip" <=> $1::vector), \'NaN\') DESC NULLS LAST'
    ),
    "SELECT * FROM (SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo)": (
        f"SELECT * FROM (\n{PLAIN}\n) AS thanosql_1"
    ),
    "SELECT * FROM (SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo) x": f"SELECT * FROM (\n{PLAIN}\n) x",
    "SELECT * FROM b, (SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo) WHERE true": (
        f"SELECT * FROM b, (\n{PLAIN}\n) AS thanosql_1 WHERE true"
    ),
    "SELECT * FROM b JOIN (SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo) USING (id)": (
        f"SELECT * FROM b JOIN (\n{PLAIN}\n) AS thanosql_1 USING (id)"
    ),
    "WITH q AS (SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo) SELECT * FROM q": (
        f"WITH q AS (\n{PLAIN}\n) SELECT * FROM q"
    ),
    "SEARCH IMAGE text='a' USING clip1 AS SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo": PLAIN.replace(
        "SELECT * FROM photo", PLAIN
    ),
}


@pytest.mark.parametrize("statement", SEARCHES)
def test_search(statement: str) -> None:
    assert compiled(statement).text == SEARCHES[statement]


def test_a_query_vector_is_one_value_however_often_it_is_used() -> None:
    found = compiled("SEARCH IMAGE USING clip1 OPTIONS(search_input='it''s', top_k=3) AS SELECT * FROM photo")
    assert found.binds == (Vector("text", "it's", "clip1"),)
    assert found.text.count("$1::vector") == 5
    assert "it's" not in found.text


def test_the_best_by_the_index_or_by_looking_at_all() -> None:
    statement = "SEARCH IMAGE USING clip1 OPTIONS(search_input='a', result_col=score, top_k=3) AS SELECT * FROM photo"
    assert compiled(statement).text == dedent(
        f"""
        SELECT * FROM (
        WITH thanosql_near AS MATERIALIZED (
        SELECT thanosql.*, {FIRST} AS "score" FROM (
        SELECT * FROM photo
        ) AS thanosql
        WHERE {FIRST} IS NOT NULL
        ORDER BY "thanosql"."clip1_clipen" <=> $1::vector
        LIMIT 3
        )
        SELECT * FROM thanosql_near WHERE (SELECT count(*) FROM thanosql_near) = 3
        UNION ALL
        SELECT * FROM (
        SELECT thanosql.*, {FIRST} AS "score" FROM (
        SELECT * FROM photo
        ) AS thanosql
        WHERE (SELECT count(*) FROM thanosql_near) < 3
        ORDER BY {FIRST} DESC NULLS LAST
        LIMIT 3
        ) AS thanosql_every
        ) AS thanosql
        ORDER BY "score" DESC NULLS LAST
        """
    )


SEARCH = "(SEARCH IMAGE text='a' USING clip1 AS SELECT * FROM photo)"
NEAR = f"(\n{PLAIN}\nWHERE {FIRST} IS NOT NULL\n)"
S1 = "clip1_clipen_similarity1"
BY_INDEX = {
    f"SELECT image_path, {S1} FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5": (
        f'SELECT image_path, {S1} FROM {NEAR} AS thanosql_1 ORDER BY "thanosql_1"."clip1_clipen" <=> $1::vector LIMIT 5'
    ),
    f"SELECT * FROM {SEARCH} AS x WHERE photo_id > 'a' ORDER BY x.{S1} DESC NULLS LAST, photo_id OFFSET 2 LIMIT 5": (
        f"SELECT * FROM {NEAR} AS x WHERE photo_id > 'a' "
        'ORDER BY "x"."clip1_clipen" <=> $1::vector, photo_id OFFSET 2 LIMIT 5'
    ),
    f"SELECT {S1} AS score, b.id FROM {SEARCH} x LEFT JOIN b USING (photo_id) ORDER BY score DESC LIMIT 5": (
        f"SELECT {S1} AS score, b.id FROM {NEAR} x LEFT JOIN b USING (photo_id) "
        'ORDER BY "x"."clip1_clipen" <=> $1::vector LIMIT 5'
    ),
    f"SELECT photo_id, {S1} FROM {SEARCH} ORDER BY 2 DESC, {S1} DESC LIMIT 5": (
        f"SELECT photo_id, {S1} FROM {NEAR} AS thanosql_1 "
        f'ORDER BY "thanosql_1"."clip1_clipen" <=> $1::vector, {S1} DESC NULLS LAST LIMIT 5'
    ),
    f"EXPLAIN (COSTS off) SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5": (
        f"EXPLAIN (COSTS off) SELECT * FROM {NEAR} AS thanosql_1 "
        'ORDER BY "thanosql_1"."clip1_clipen" <=> $1::vector LIMIT 5'
    ),
}


@pytest.mark.parametrize("statement", BY_INDEX)
def test_the_form_for_the_index(statement: str) -> None:
    indexed = rows_of(statement).indexed
    assert indexed is not None
    assert indexed.rows == 5
    assert text_of(indexed.sql) == BY_INDEX[statement]


SIGNED = SEARCH.replace("photo", "signed")
CANDIDATES = (
    f"{PLAIN.replace('photo', 'signed')}\nWHERE {FIRST} IS NOT NULL\n"
    'ORDER BY (binary_quantize(thanosql."clip1_clipen")::bit(512)) <~> (binary_quantize($1::vector)::bit(512))\n'
    "LIMIT thanopg.candidates({})"
)


def test_of_a_binary_index_candidates_are_ranked() -> None:
    indexed = rows_of(f"SELECT * FROM {SIGNED} ORDER BY {S1} DESC LIMIT 5 OFFSET 2").indexed
    assert indexed is not None and text_of(indexed.sql) == (
        f"SELECT * FROM (\n{CANDIDATES.format(7)}\n) AS thanosql_1 "
        'ORDER BY "thanosql_1"."clip1_clipen" <=> $1::vector LIMIT 5 OFFSET 2'
    )
    statement = "SEARCH IMAGE USING clip1 OPTIONS(search_input='a', result_col=score, top_k=3) AS SELECT * FROM signed"
    near = CANDIDATES.format(3).replace(f'"{S1}"', '"score"')
    assert (
        f"WITH thanosql_near AS MATERIALIZED (\nSELECT * FROM (\n{near}\n) AS thanosql\n"
        'ORDER BY "thanosql"."clip1_clipen" <=> $1::vector\nLIMIT 3\n)'
    ) in compiled(statement).text


def test_candidates_are_not_filtered_or_joined() -> None:
    assert rows_of(f"SELECT * FROM {SIGNED} WHERE photo_id > 'a' ORDER BY {S1} DESC LIMIT 5").indexed is None
    assert (
        rows_of(f"SELECT x.{S1} FROM {SIGNED} x JOIN b USING (photo_id) ORDER BY x.{S1} DESC LIMIT 5").indexed is None
    )


LEFT_ALONE = (
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC",  # no LIMIT
    f"SELECT * FROM {SEARCH} ORDER BY {S1} LIMIT 5",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC NULLS FIRST LIMIT 5",
    f"SELECT * FROM {SEARCH} ORDER BY photo_id, {S1} DESC LIMIT 5",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} + 1 DESC LIMIT 5",
    f"SELECT DISTINCT {S1} FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5",
    f"SELECT {S1} FROM {SEARCH} GROUP BY {S1} ORDER BY {S1} DESC LIMIT 5",
    f"SELECT {S1}, row_number() OVER () FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5",
    f"SELECT round({S1}) AS {S1} FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5",
    f"SELECT {S1}::numeric(3, 1) FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5",
    f"SELECT photo_id AS {S1} FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5",
    f"SELECT *, {S1} AS score FROM {SEARCH} ORDER BY score DESC LIMIT 5",  # the table may have a column score
    f"SELECT * FROM {SEARCH} x, o ORDER BY {S1} DESC LIMIT 5",  # so may o
    f"SELECT o.{S1} FROM {SEARCH} x, o ORDER BY {S1} DESC LIMIT 5",
    f"SELECT x.{S1} FROM o LEFT JOIN {SEARCH} x ON true ORDER BY x.{S1} DESC LIMIT 5",
    f"SELECT x.{S1} FROM {SEARCH} x RIGHT JOIN o ON true ORDER BY x.{S1} DESC LIMIT 5",
    f"SELECT x.{S1} FROM {SEARCH} x FULL JOIN o ON true ORDER BY x.{S1} DESC LIMIT 5",
    f"SELECT a FROM {SEARCH} x(a, b) ORDER BY a DESC LIMIT 5",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT ALL",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 2 + 3",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 0",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC FETCH FIRST 5 ROWS WITH TIES",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5 FOR UPDATE",
    f"(SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5) UNION SELECT 1",
    f"WITH q AS (SELECT 1) SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5",
    f"SELECT * FROM (SELECT * FROM {SEARCH}) q ORDER BY {S1} DESC LIMIT 5",
    f"CREATE TABLE t AS SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5",
)


@pytest.mark.parametrize("statement", LEFT_ALONE)
def test_what_is_not_sure_stays_plain(statement: str) -> None:
    assert rows_of(statement).indexed is None


def test_limit_and_offset_as_values() -> None:
    statement = f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT $k OFFSET $o"
    plan = rows_of(statement, k=7, o=3)
    assert plan.indexed is not None
    assert (plan.indexed.rows, plan.effort) == (7, 10)
    assert rows_of(statement, k="7", o=3).indexed is None
    assert rows_of(statement, k=None, o=3).indexed is None


NULLS = {
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC": f"ORDER BY {S1} DESC NULLS LAST",
    f"SELECT * FROM {SEARCH} x ORDER BY x.{S1} DESC, photo_id DESC": f"ORDER BY x.{S1} DESC NULLS LAST, photo_id DESC",
    f"SELECT {S1} AS s FROM {SEARCH} ORDER BY s DESC": "ORDER BY s DESC NULLS LAST",
    f"SELECT photo_id, 1 + {S1} FROM {SEARCH} ORDER BY 2 DESC": "ORDER BY 2 DESC NULLS LAST",
    f"SELECT photo_id, 1 + {S1} FROM {SEARCH} ORDER BY 1 DESC": "ORDER BY 1 DESC",
    f"SELECT * FROM {SEARCH} ORDER BY {S1} DESC NULLS FIRST": "DESC NULLS FIRST",
    f"SELECT * FROM (SELECT * FROM {SEARCH}) q ORDER BY q.{S1} DESC": f"ORDER BY q.{S1} DESC NULLS LAST",
    f"SELECT * FROM {SEARCH} x, o ORDER BY o.{S1} DESC": f"ORDER BY o.{S1} DESC",
    f"SELECT rank() OVER (ORDER BY {S1} DESC ROWS 1 PRECEDING) FROM {SEARCH}": f"(ORDER BY {S1} DESC NULLS LAST ROWS 1",
    f"SELECT array_agg(photo_id ORDER BY {S1} DESC) FROM {SEARCH}": f"(photo_id ORDER BY {S1} DESC NULLS LAST)",
}


@pytest.mark.parametrize("statement", NULLS)
def test_rows_without_similarity_do_not_lead(statement: str) -> None:
    expected = NULLS[statement]
    assert expected in compiled(statement).text
    assert compiled(statement).text.count("NULLS LAST") == expected.count("NULLS LAST")


def test_convert_on_the_table_itself() -> None:
    plan = rows_of(
        'CONVERT USING clip1 OPTIONS (image_col="image_path", table_name="photo", batch_size=128)\n'
        "AS SELECT * FROM photo"
    )
    assert text_of(plan.sql) == "SELECT * FROM photo"
    (step,) = plan.converts
    assert (step.table, step.source, step.source_column, step.column) == (
        ("public", "photo"),
        None,
        "image_path",
        "clip1_clipen",
    )
    assert step.batch_size == 128


def test_convert_of_some_columns_and_rows() -> None:
    plan = rows_of("CONVERT USING clip1 AS SELECT image_path FROM bare WHERE id < 9")
    assert plan.converts[0].source is None
    assert text_of(plan.sql) == dedent(
        """
        SELECT q.*, e."clip1_clipen" FROM (
        SELECT image_path FROM bare WHERE id < 9
        ) AS q LEFT JOIN (SELECT DISTINCT ON ("image_path") "image_path", "clip1_clipen" FROM "public"."bare") AS e \
ON e."image_path" = q."image_path"
        """
    )


def test_convert_into_another_table() -> None:
    plan = rows_of("CONVERT USING clip1 OPTIONS(table_name=New, result_col=convert_result) AS SELECT * FROM bare")
    assert text_of(plan.sql) == 'SELECT * FROM "new"'
    (step,) = plan.converts
    assert (step.table, step.column, step.replaced) == (("new",), "convert_result", None)
    assert step.source is not None
    assert text_of(step.source) == "SELECT * FROM bare"
    (again,) = rows_of("CONVERT USING clip1 OPTIONS(table_name=other) AS SELECT * FROM bare").converts
    assert again.replaced is not None
    assert again.table == ("public", "other")


def test_convert_into_captions() -> None:
    statement = (
        "CONVERT USING words OPTIONS(language='ko', prompt='무엇인가?', attributes_col='속성', table_name='copied') "
        "AS SELECT * FROM bare"
    )
    (step,) = rows_of(statement).converts
    assert (step.kind, step.source_column, step.column) == ("caption", "image_path", "caption")
    assert (step.language, step.prompt, step.attributes_column) == ("ko", "무엇인가?", "속성")
    assert step.remade == ()
    (again,) = rows_of(statement.replace("bare", "told")).converts
    assert again.remade == ("caption", "속성")  # those that a captioner wrote


def test_convert_of_texts() -> None:
    plan = rows_of("CONVERT USING e5 OPTIONS(text_col=caption) AS SELECT id, caption FROM told")
    (step,) = plan.converts
    assert (step.kind, step.source_column, step.column) == ("text", "caption", "e5_sbert_caption")
    assert text_of(plan.sql).startswith('SELECT q.*, e."e5_sbert_caption" FROM (\nSELECT id, caption FROM told\n')
    (both,) = rows_of(
        "CONVERT USING clip1 OPTIONS(convert_type='text', text_col='설명', result_col='v') AS SELECT * FROM told"
    ).converts
    assert (both.kind, both.source_column, both.column, both.remade) == ("text", "설명", "v", ("v",))


def test_convert_shows_what_it_made() -> None:
    plan = rows_of("CONVERT USING words OPTIONS(attributes_col='속성') AS SELECT id, image_path FROM bare")
    assert text_of(plan.sql).startswith('SELECT q.*, e."caption", e."속성" FROM (\nSELECT id, image_path FROM bare')


def test_a_search_finds_the_vectors_of_texts_where_there_are_no_others() -> None:
    found = compiled("SEARCH IMAGE text='파란 원피스' USING e5 AS SELECT * FROM told")
    assert '"thanosql"."caption_vector" <=> $1::vector' in found.text


def test_convert_within_sql() -> None:
    plan = rows_of("CREATE TABLE kept AS SELECT * FROM (CONVERT USING clip1 AS SELECT * FROM bare)")
    assert text_of(plan.sql) == "CREATE TABLE kept AS SELECT * FROM (\nSELECT * FROM bare\n) AS thanosql_1"
    assert plan.utility
    assert len(plan.converts) == 1
    inner = rows_of("SEARCH IMAGE text='a' USING clip1 AS (CONVERT USING clip1 AS SELECT * FROM bare)")
    assert len(inner.converts) == 1


def test_list() -> None:
    assert compiled("LIST MODEL").text.startswith("SELECT name AS model_name, base AS model")
    assert compiled("SELECT * FROM (list thanosql model) WHERE model = 'clip'").text.endswith(
        ") AS thanosql_1 WHERE model = 'clip'"
    )
    assert "c.relname AS table_name" in compiled("LIST TABLE").text


def test_print() -> None:
    plan = plan_of(f"PRINT IMAGE OPTIONS(image_col=img) AS (SELECT * FROM {SEARCH} ORDER BY {S1} DESC LIMIT 5)")
    assert isinstance(plan, PrintPlan)
    assert plan.image_column == "img"
    assert plan.rows.indexed is not None


COPIES = {
    'COPY unsplash OPTIONS(overwrite=True) FROM "a/b.csv"': (("unsplash",), "replace", "a/b.csv"),
    "COPY Unsplash FROM 'a'": (("unsplash",), "fail", "a"),
    "copy shop.item options(if_exists='append') from 'a\\'b'": (("shop", "item"), "append", "a'b"),
    "COPY photo OPTIONS(if_exists='replace') FROM 'a'": (("public", "photo"), "replace", "a"),
    "COPY photo OPTIONS(overwrite=False) FROM $path": (("public", "photo"), "fail", "from a parameter"),
}


@pytest.mark.parametrize("statement", COPIES)
def test_copy(statement: str) -> None:
    plan = plan_of(statement, path="from a parameter")
    assert isinstance(plan, CopyPlan)
    assert (plan.table, plan.if_exists, plan.source) == COPIES[statement]


MODELS = {
    "GET THANOSQL MODEL clip": ("clip", "clip", False),
    "GET THANOSQL MODEL clipen OPTIONS(overwrite=True) AS tutorial": ("clipen", "tutorial", True),
    "GET THANOSQL MODEL clip OPTIONS(model_name='Mine', overwrite=False)": ("clip", "mine", False),
    "GET THANOSQL MODEL hf-hub:timm/ViT-B-16 AS big": ("hf-hub:timm/ViT-B-16", "big", False),
    "GET THANOSQL MODEL 'ViT-B-32/openai' AS b32": ("ViT-B-32/openai", "b32", False),
}


@pytest.mark.parametrize("statement", MODELS)
def test_get_model(statement: str) -> None:
    plan = plan_of(statement)
    assert isinstance(plan, GetPlan)
    assert (plan.base, plan.name, plan.overwrite) == MODELS[statement]


def test_delete_model() -> None:
    plan = plan_of("DELETE MODEL MY_CLIP")
    assert isinstance(plan, DeletePlan)
    assert plan.name == "my_clip"


def test_build_and_fit_model() -> None:
    options = (
        "OPTIONS(image_col='image_path', text_col='ai_description', max_epochs=2, batch_size=64, learning_rate=1e-4)"
    )
    plan = plan_of(f"BUILD MODEL mine USING catalog {options} AS SELECT * FROM photo")
    assert isinstance(plan, BuildPlan)
    assert (plan.name, plan.base, plan.source) == ("mine", "catalog", "bundled:catalog")
    assert (plan.text_column, plan.epochs, plan.batch_size, plan.learning_rate) == ("ai_description", 2, 64, 1e-4)
    fit = plan_of("FIT MODEL mine USING my_clip AS SELECT * FROM photo")
    assert isinstance(fit, BuildPlan)
    assert (fit.base, fit.source, fit.fit) == ("clip", "ViT-B-32/openai", True)


def test_values_stay_values() -> None:
    evil = "x'; DROP TABLE photo; --"
    found = compiled("SELECT * FROM photo WHERE ai_description = $d AND photo_id = ANY ($ids)", d=evil, ids=[evil])
    assert found.text == "SELECT * FROM photo WHERE ai_description = $1 AND photo_id = ANY ($2)"
    assert evil not in compiled("SEARCH IMAGE text=$d USING clip1 AS SELECT * FROM photo", d=evil).text
    named = compiled(
        "SEARCH IMAGE text='a' USING clip1 OPTIONS(column_name='a\" FROM x; --') AS SELECT * FROM photo"
    ).text
    assert 'AS "a"" FROM x; --"' in named


def test_an_unknown_option_is_a_warning() -> None:
    warnings: list[str] = []
    plan_of("CONVERT USING clip1 OPTIONS(imge_col='x', zzz=1) AS SELECT * FROM bare", warnings)
    assert warnings[0] == "CONVERT has no option imge_col, it is ignored; did you mean image_col?"
    plan_of("CONVERT USING clip1 OPTIONS(language='ko') AS SELECT * FROM bare", warnings)
    assert warnings[-1] == "language belongs to captions and is ignored; they are made by task='caption'"
    assert "known: image_col" in warnings[1]
