"""What each role may do: every function walked as a stranger, as thanopg_reader and as thanopg_worker."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from psycopg import Connection, sql

from tests.adapters import over_both
from tests.databases import Database, in_database
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer

VECTOR = "[" + ",".join(["0.5"] * 4 + ["0"] * 4) + "]"
COLUMN = "(SELECT c FROM thanopg.embedding_column c LIMIT 1)"
PARTS = '[{"text": "x", "weight": 1}]'
PLAN = '{"method": "image", "fusion": "score", "candidates": 1, "weights": {"image": 1}}'
UUID = "'00000000-0000-0000-0000-000000000000'"

NOBODY, READER, WORKER, ALL = set[str](), {"reader"}, {"worker"}, {"reader", "worker"}
# Who gets past the rights of each call; a stranger never does. "worker" is a worker of a table that it was admitted to.
CALLS: dict[str, tuple[set[str], list[str]]] = {
    # search
    "search_image": (READER, ["search_image('x', 'fake')", "search_image('\\x00'::bytea, 'fake')"]),
    "search_rows": (READER, ["search_rows(NULL::photo, 'x', 'fake')"]),
    "similar_image": (ALL, ["similar_image('photo', '{\"id\": 1}', 'fake')"]),
    "search_sql": (ALL, ["search_sql('x', 'fake')"]),
    "embed_text": (READER, ["embed_text('x', 'fake')"]),
    "embed_image": (READER, ["embed_image('\\x00', 'fake')"]),
    "query_vector": (READER, [f"query_vector('x'::text, {COLUMN})", f"query_vector('\\x00'::bytea, {COLUMN})"]),
    "ask_service": (READER, ["ask_service('x'::text, 'fake:8', 'f')", "ask_service('\\x00'::bytea, 'fake:8', 'f')"]),
    "ask_caption": (READER, ["ask_caption('\\x00', 'fake:8', 'f', 'en', '')"]),
    "caption_image": (READER, ["caption_image('\\x00', 'fake')"]),
    "run_search": (READER, [f"run_search({COLUMN}, 'x', NULL, NULL, 1, NULL, '{{}}')"]),
    "written_search": (READER, [f"written_search({COLUMN}, 'x', NULL, NULL, 'id', 1, NULL, '{{}}', false)"]),
    "parts_vector": (READER, [f"parts_vector({COLUMN}, '{PARTS}', '{{}}')"]),
    "term_frequencies": (READER, ["term_frequencies('photo'::regclass)"]),
    "row_vector": (ALL, [f"row_vector({COLUMN}, '{{\"id\": 1}}')"]),
    # pure text and catalogue
    "binary_expression": (ALL, [f"binary_expression({COLUMN}, 'x')"]),
    "caption_request": (ALL, ["caption_request('\\x00', 'f', 'f', 'en', NULL)"]),
    "announce_worker": (ALL, ["announce_worker()"]),
    "check_ability": (ALL, ["check_ability(thanopg.find_model('fake'), 'image')"]),
    "check_adoptable": (READER, ["check_adoptable('photo', 'image_path', 'seller', 'text')"]),
    "check_cycle": (ALL, ["check_cycle('photo', 'image_path', 'x')"]),
    "check_filter": (ALL, [f"check_filter({COLUMN}, 'id > 0')"]),
    "check_index": (ALL, ["check_index('vector', 'now', 8)"]),
    "check_new_column": (ALL, ["check_new_column('photo', 'x')"]),
    "check_query": (ALL, ["check_query('x'::text)", "check_query('x'::bytea)"]),
    "check_registered": (ALL, ["check_registered('fake:8')"]),
    "check_search": (ALL, ["check_search(1, '{}')"]),
    "also_probability": (ALL, [f"also_probability({COLUMN}, 'x')"]),
    "caption_columns": (ALL, [f"caption_columns({COLUMN}, '{{}}')"]),
    "check_parts": (ALL, ["check_parts('plus', '[\"x\"]')"]),
    "check_weights": (ALL, ["check_weights('{\"image\": 1}')"]),
    "combine_vectors": (ALL, ["combine_vectors('{\"[1,0]\"}', '{1}')"]),
    "describing_column": (ALL, [f"describing_column({COLUMN}, 'seller')"]),
    "fit_logistic": (ALL, ["fit_logistic('{0.1,0.9}', '{false,true}')"]),
    "from_target": (ALL, [f"from_target({COLUMN})"]),
    "fused_score": (ALL, ['fused_score(\'{"weights": {"image": 1}}\')']),
    "fused_term": (ALL, ["fused_term('image', 1, 'rrf')"]),
    "hybrid_statement": (ALL, [f"hybrid_statement({COLUMN}, NULL, '{PLAN}', 'x', '{PARTS}', 'x', 1, NULL, '{{}}')"]),
    "image_bytes": (ALL, ["image_bytes('AA==')"]),
    "is_composed": (ALL, ["is_composed('{}')"]),
    "is_plain": (ALL, [f"is_plain({COLUMN}, '{{}}')"]),
    "is_number": (ALL, ["is_number('1', 0, 1)"]),
    "is_template": (ALL, ["is_template('\"{}\"')"]),
    "is_weighted_key": (ALL, ["is_weighted_key('{}')"]),
    "key_columns": (ALL, [f"key_columns({COLUMN})"]),
    "key_join": (ALL, [f"key_join({COLUMN}, 'x')"]),
    "key_list": (ALL, [f"key_list({COLUMN})"]),
    "keyword_index_statement": (ALL, ["keyword_index_statement('photo', '{seller}')"]),
    "keyword_list": (READER, [f"keyword_list({COLUMN}, '{PARTS}', 1, NULL)"]),
    "keyword_score_expression": (READER, [f"keyword_score_expression({COLUMN})"]),
    "keyword_terms": (ALL, ["keyword_terms('{x}')"]),
    "least_similarity": (ALL, [f"least_similarity({COLUMN}, '{{\"min_probability\": 0.5}}')"]),
    "method_columns": (ALL, [f"method_columns({COLUMN}, NULL, '{{\"image\": 1}}')"]),
    "method_details": (ALL, [f"method_details({COLUMN}, NULL, '{{image}}')"]),
    "missing_method": (ALL, [f"missing_method('image', {COLUMN}, NULL, '{PARTS}', '{{}}')"]),
    "near_list": (ALL, [f"near_list({COLUMN}, 'image', 1, NULL, '{{}}')"]),
    "picture_column": (ALL, [f"picture_column({COLUMN})"]),
    "parts_expression": (ALL, [f"parts_expression({COLUMN}, '{PARTS}', '{{}}')"]),
    "probability": (ALL, ["probability(0.5, 1, 0)"]),
    "probability_expression": (ALL, [f"probability_expression({COLUMN}, 'x')"]),
    "query_parts": (ALL, ["query_parts('x', NULL, NULL, '{}')"]),
    "refuse_option": (ALL, ["refuse_option('x', 'y')"]),
    "rows_beside": (ALL, [f"rows_beside({COLUMN}, '{PARTS}', NULL)"]),
    "search_detail": (ALL, [f"search_detail({COLUMN}, NULL, NULL)"]),
    "search_plan": (READER, [f"search_plan({COLUMN}, NULL, '{PARTS}', 1, '{{\"method\": \"hybrid\"}}')"]),
    "similar_enough": (ALL, [f"similar_enough({COLUMN}, NULL, '{{image}}', '{{}}')"]),
    "templated": (ALL, [f"templated({COLUMN}, '{PARTS}', '{{}}')"]),
    "templates": (ALL, [f"templates({COLUMN}, '{{}}')"]),
    "check_source": (ALL, ["check_source('photo', 'image_path')"]),
    "check_target": (ALL, ["check_target('photo')"]),
    "column_number": (ALL, ["column_number('photo', 'id')"]),
    "count_untried": (WORKER, ["count_untried(1)"]),
    "coverage": (ALL, [f"coverage({COLUMN}, 0, 100)"]),
    "described_model": (ALL, ["described_model('x', 'x', '{}')"]),
    "distance_operator": (ALL, ["distance_operator('vector'::regtype)"]),
    "embed_request": (ALL, ["embed_request('x'::text, 'f', 'f')", "embed_request('x'::bytea, 'f', 'f')"]),
    "estimate_rows": (ALL, [f"estimate_rows({COLUMN}, 0)"]),
    "expected_rate": (WORKER, ["expected_rate('f', 'image')"]),
    "find_embedding_column": (ALL, ["find_embedding_column('fake', NULL, NULL)"]),
    "find_model": (ALL, ["find_model('fake')"]),
    "has_binary_index": (ALL, ["has_binary_index('photo', 'fake_base')"]),
    "image_items": (ALL, [f"image_items({COLUMN})"]),
    "in_words": (ALL, ["in_words(90)"]),
    "index_policy": (ALL, ["index_policy('photo', 'now')"]),
    "index_state": (ALL, ["index_state('photo', 'fake_base')"]),
    "index_statement": (ALL, ["index_statement(1)"]),
    "is_binary_index": (ALL, ["is_binary_index('photo_pkey'::regclass, 'fake_base')"]),
    "is_settled": (WORKER, ["is_settled()"]),
    "key_condition": (ALL, [f"key_condition({COLUMN}, 't', 'k')"]),
    "key_expression": (ALL, [f"key_expression({COLUMN}, 't')"]),
    "key_of": (ALL, ["key_of('photo')"]),
    "near_statement": (ALL, [f"near_statement({COLUMN}, 'x', 'x', 'x', 'photo', 'true', 1, '{{}}')"]),
    "owns_table": (ALL, ["owns_table('photo'::regclass)"]),
    "candidates": (ALL, ["candidates(10)"]),
    "filter_effort": (ALL, [f"filter_effort({COLUMN}, 'true', 10)"]),
    "planned": (ALL, ["planned('SELECT 1')"]),
    "prepare_scan": (ALL, ["prepare_scan(10)"]),
    "made_indexes": (ALL, ["made_indexes('photo', 'fake_base')"]),
    "query_expression": (ALL, [f"query_expression({COLUMN}, 'x')"]),
    "row_condition": (ALL, [f"row_condition({COLUMN}, '{{\"id\": 1}}')"]),
    "search_halves": (ALL, [f"search_halves({COLUMN}, 'x', 'x', 1, NULL, '{{}}', NULL)"]),
    "search_statements": (ALL, [f"search_statements({COLUMN}, 'x', 1, NULL, '{{}}')"]),
    "search_statement": (ALL, [f"search_statement({COLUMN}, 'x', 'x', 1, NULL, '{{}}')"]),
    "searched_column": (ALL, ["searched_column('fake', 1, NULL, NULL, '{}')"]),
    "see_all_rows": (ALL, ["see_all_rows('photo')"]),
    "sees_whole_table": (ALL, ["sees_whole_table('photo'::regclass)"]),
    "present_effort": (ALL, ["present_effort()"]),
    "set_search_effort": (ALL, ["set_search_effort(1, '{}')"]),
    "source_chain": (ALL, ["source_chain('photo', 'fake_base')"]),
    "source_hash_expression": (ALL, [f"source_hash_expression({COLUMN}, 't')"]),
    "storage_of": (ALL, ["storage_of('photo')"]),
    "vector_type": (ALL, ["vector_type('vector', 8)"]),
    "vector_hash_expression": (ALL, [f"vector_hash_expression({COLUMN}, 't')"]),
    "work_column": (ALL, ["work_column(1)"]),
    "worker_count": (ALL, ["worker_count()"]),
    # the queue
    "adopt": (WORKER, ["adopt(1)"]),
    "claim": (WORKER, [f"claim(1, {UUID}, 1, '1s')"]),
    "extend": (WORKER, [f"extend(1, {UUID}, ARRAY['[1]'::jsonb], '1s')"]),
    "fail": (WORKER, [f"fail(1, {UUID}, '[2]', sha256('b.jpg'), 'missing', '', NULL, true)"]),
    "finish": (WORKER, [f"finish(1, {UUID}, '{{fingerprint}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}')"]),
    "follow_names": (WORKER, ["follow_names(1)"]),
    "forget": (WORKER, [f"forget(1, {UUID}, ARRAY['[1]'::jsonb])"]),
    "forget_dropped": (WORKER, ["forget_dropped()"]),
    "lock_unchanged": (WORKER, [f"lock_unchanged({COLUMN}, ARRAY['[2]'::jsonb], ARRAY[sha256('b.jpg')])"]),
    "mend_triggers": (ALL, ["mend_triggers(1)"]),  # of tables that the caller owns
    "clear_triggers": (ALL, ["clear_triggers(1)"]),  # the same
    "clear_leftovers": (WORKER, ["clear_leftovers()"]),  # the same; needs the registry
    "note_rate": (WORKER, ["note_rate('f', 'image', 10, 1)"]),
    "read_source": (WORKER, ["read_source(1, ARRAY['[1]'::jsonb])"]),
    "reconcile": (WORKER, ["reconcile(1)", "reconcile(1, deep => true)", "reconcile(1, true, 0, 10)"]),
    "reconcile_blocks": (WORKER, ["reconcile_blocks(1)"]),
    "refresh": (WORKER, ["refresh('photo')"]),
    "release": (WORKER, [f"release(1, {UUID}, ARRAY['[1]'::jsonb], '1s')"]),
    "retry": (WORKER, ["retry()"]),
    "say_waiting": (WORKER, ["say_waiting(1, 1)"]),
    # the owner's
    "add_caption": (NOBODY, ["add_caption('photo', 'image_path', 'words')"]),
    "add_embedding": (
        NOBODY,
        ["add_embedding('image', 'photo', 'image_path', thanopg.find_model('fake'), 'x', 'public.vector(8)')"],
    ),
    "add_keyword_index": (NOBODY, ["add_keyword_index('photo', '{seller}')"]),
    "calibrate": (NOBODY, ["calibrate('photo', 'fake_base', 'seller', 20)"]),
    "drop_keyword_index": (NOBODY, ["drop_keyword_index('photo')"]),
    "set_template": (NOBODY, ["set_template('fake', 'a {}')"]),
    "add_image_embedding": (NOBODY, ["add_image_embedding('photo', 'image_path', 'fake', column_name => 'x')"]),
    "add_text_embedding": (NOBODY, ["add_text_embedding('photo', 'seller', 'fake', column_name => 'x')"]),
    "admit_worker": (ALL, ["admit_worker(1)"]),  # nothing where the caller does not own the table
    "create_model": (NOBODY, ["create_model('other', source => 'fake:8')"]),
    "create_service_server": (NOBODY, ["create_service_server('thanopg_service_fdw')"]),
    "create_triggers": (NOBODY, ["create_triggers(1)"]),
    "dismiss_worker": (WORKER, [f"dismiss_worker({COLUMN})"]),  # nothing while the column is registered
    "drop_embedding": (NOBODY, ["drop_embedding('photo', 'fake_base')"]),
    "drop_model": (NOBODY, ["drop_model('unused')"]),
    "enqueue": (NOBODY, ["enqueue()"]),
    "make_column": (NOBODY, ["make_column('photo', 'image_path', 'x', 'text')"]),
    "make_index": (ALL, ["make_index(1)"]),  # it is there
    "native_call": (NOBODY, ["native_call('host=localhost', 'SELECT 1')"]),
    "service_call": (NOBODY, ["service_call('SELECT 1')"]),
    "set_index": (NOBODY, ["set_index('photo', 'fake_base', 'none')"]),
    "unmake_index": (NOBODY, ["unmake_index('photo', 'fake_base')"]),
    "set_options": (NOBODY, ["set_options('SERVER thanopg_service', '{}', '{\"host\": \"/tmp\"}')"]),
    "set_service_address": (NOBODY, ["set_service_address('localhost', 1, 'a', 'b')"]),
}


def outcome(session: Connection, call: str) -> str:
    """'denied', or whatever else came of it."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(sql.SQL(f"SELECT thanopg.{call}"))
    except psycopg.errors.InsufficientPrivilege:
        return "denied"
    except psycopg.Error as error:
        return f"{error.sqlstate} {error}"
    return "done"


def test_every_function_is_in_the_table(connection: Connection) -> None:
    rows = connection.execute("SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'thanopg'::regnamespace")
    there = {name for (name,) in rows.fetchall()}
    assert there - CALLS.keys() == set(), "say in CALLS who may call them"
    assert CALLS.keys() - there == set()


@pytest.mark.parametrize("who", ["stranger", "reader", "worker"])
def test_every_function_as(
    connection: Connection,
    superuser_connection: Connection,
    session: Connection,
    role: str,
    three_photos: str,
    who: str,
) -> None:
    if who == "stranger":
        assert {outcome(session, call) for _, calls in CALLS.values() for call in calls} == {"denied"}
        return
    superuser_connection.execute(f"GRANT thanopg_{who} TO {role}")
    if who == "reader":
        connection.execute(f"GRANT SELECT ON photo TO {role}")
    (fingerprint,) = connection.execute("SELECT fingerprint FROM thanopg.model WHERE name = 'fake'").fetchone() or ("",)
    came = {
        call: outcome(session, call.replace("{fingerprint}", fingerprint))
        for _, calls in CALLS.values()
        for call in calls
    }
    denied = {call for call, said in came.items() if said == "denied"}
    assert denied == {call for may, calls in CALLS.values() for call in calls if who not in may}
    said = {call: text for call, text in came.items() if text not in ("denied", "done")}
    garbage = "22000", "55000", "0A000", "22023"  # picture of one byte; fingerprint 'f'; no captions; refuse_option
    assert all(text.startswith(garbage) for text in said.values()), said


def test_definer_functions_are_few_and_closed(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT proname, proconfig, proacl::text FROM pg_proc "
        "WHERE pronamespace = 'thanopg'::regnamespace AND prosecdef"
    ).fetchall()
    definers = {"enqueue", "service_call", "ask_service", "ask_caption", "term_frequencies"}
    assert {name for name, _, _ in rows} == definers
    for name, settings, rights in rows:
        assert "search_path=pg_catalog, pg_temp" in settings, name
        assert rights is not None and "{=" not in rights and ",=" not in rights, name  # no entry of PUBLIC


def test_tables_and_views_are_closed_but_for_what_is_named(
    connection: Connection, superuser_connection: Connection, role: str
) -> None:
    def may(right: str) -> set[str]:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'thanopg'::regnamespace AND relkind IN ('r', 'v', 'S') "
            "AND has_table_privilege(%s, oid, %s)",
            (role, right),
        )
        return {name for (name,) in rows.fetchall()}

    rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    assert [may(right) for right in rights] == [set()] * 7
    superuser_connection.execute(f"GRANT thanopg_reader TO {role}")
    assert may("SELECT") == {"model", "embedding_column", "embedding_status", "failure", "keyword_index"}
    assert [may(right) for right in rights[1:]] == [set()] * 6
    superuser_connection.execute(f"REVOKE thanopg_reader FROM {role}; GRANT thanopg_worker TO {role}")
    written = {"embedding", "pending", "provenance", "worker_rate"}
    assert may("SELECT") == {"model", "embedding_column", "pending_count", *written}
    assert may("INSERT") == written - {"embedding"}
    assert may("UPDATE") == written
    assert may("DELETE") == written - {"worker_rate"}
    assert [may(right) for right in rights[4:]] == [set()] * 3


def test_a_reader_names_no_weights_but_registered_ones(
    superuser_connection: Connection, session: Connection, role: str, three_photos: str
) -> None:
    superuser_connection.execute(f"GRANT thanopg_reader TO {role}")
    with pytest.raises(psycopg.errors.UndefinedObject):
        session.execute("SELECT thanopg.ask_service('x'::text, 'local-dir:/tmp', 'f')")


def test_an_application_writes_rows_without_knowing_of_us(
    connection: Connection, session: Connection, role: str, three_photos: str
) -> None:
    connection.execute(f"GRANT SELECT, INSERT, UPDATE ON photo TO {role}")
    session.execute("INSERT INTO photo VALUES (7, 'b.jpg')")
    session.execute("UPDATE photo SET image_path = 'c.jpg' WHERE id = 1")
    waiting = connection.execute("SELECT key FROM thanopg.pending WHERE failed_at IS NULL ORDER BY key").fetchall()
    assert [key for (key,) in waiting] == [[1], [2], [7]]


@over_both
def test_the_password_cannot_be_read_nor_the_service_moved(
    superuser_connection: Connection, session: Connection, role: str, three_photos: str
) -> None:
    superuser_connection.execute(f"GRANT thanopg_reader, thanopg_worker TO {role}")
    shown = session.execute("SELECT umoptions FROM pg_user_mappings WHERE srvname = 'thanopg_service'").fetchall()
    assert shown and all(options is None for (options,) in shown)
    for statement in (
        "SELECT * FROM pg_user_mapping",
        "ALTER SERVER thanopg_service OPTIONS (SET host '/tmp')",
        "DROP SERVER thanopg_service CASCADE",
        f"CREATE USER MAPPING FOR {role} SERVER thanopg_service OPTIONS (user 'x', password 'y')",
        f"ALTER USER MAPPING FOR {OWNER} SERVER thanopg_service OPTIONS (SET password 'y')",
        "CREATE FUNCTION thanopg.service_call(text) RETURNS text LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE thanopg.trap (a int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement.encode())
    # names of one's own in front of pg_catalog, pgvector and ours change nothing in functions of the owner's rights
    session.execute("CREATE FUNCTION pg_temp.format(text, text, text, text) RETURNS text LANGUAGE sql AS 'SELECT 1'")
    session.execute("SET search_path = pg_temp, thanopg, public, pg_catalog")
    assert session.execute("SELECT thanopg.embed_text('x', 'fake') IS NOT NULL").fetchone() == (True,)


def test_a_cluster_without_the_roles_says_what_to_run(
    server: EmbeddedServer, empty_database: Database, superuser_connection: Connection
) -> None:
    """The owner may not create roles; what it could not grant at first it grants the next time."""
    name = f"plain_{uuid.uuid4().hex[:8]}"
    with connect(in_database(server.superuser_url, "postgres"), autocommit=True) as administrator:
        renamed = [("thanopg_reader", f"r_{name}"), ("thanopg_worker", f"w_{name}")]
        for old, new in renamed:
            administrator.execute(f"ALTER ROLE {old} RENAME TO {new}")
        try:
            with connect(empty_database.superuser_url, autocommit=True) as connection:
                connection.execute(f"CREATE EXTENSION vector; CREATE SCHEMA thanopg AUTHORIZATION {OWNER}")
            said = [text for text in install(empty_database.url).warnings if "roles" in text]
            assert said == [
                "this role may not create roles; as an administrator: CREATE ROLE thanopg_reader; "
                "CREATE ROLE thanopg_worker; then run thanopg install again"
            ]
            with connect(empty_database.url, autocommit=True) as connection:
                connection.execute(
                    "INSERT INTO thanopg.model (name, base, source, architecture, dimensions, fingerprint, "
                    "context_length) VALUES ('fake', 'fake', 'fake:8', 'fake', 8, 'f', 77)"
                )
                connection.execute("CREATE TABLE t (id int PRIMARY KEY, image_path text)")
                connection.execute("SELECT thanopg.add_image_embedding('t', 'image_path', 'fake')")
        finally:
            for old, new in renamed:
                administrator.execute(f"ALTER ROLE {new} RENAME TO {old}")
        assert [text for text in install(empty_database.url).warnings if "roles" in text] == []
        with connect(empty_database.url, autocommit=True) as connection:
            rights = (
                "SELECT has_schema_privilege('thanopg_reader', 'thanopg', 'USAGE'), "
                "has_column_privilege('thanopg_worker', 't', 'fake_fake', 'UPDATE'), "
                "has_column_privilege('thanopg_worker', 't', 'image_path', 'UPDATE')"
            )
            assert connection.execute(rights).fetchone() == (True, True, False)
