"""What a role finds of a table is what it may read there, by search, status and failures."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection

from tests.adapters import over_both


@over_both
def test_a_reader_searches_what_it_may_read(
    connection: Connection, superuser_connection: Connection, session: Connection, role: str, three_photos: str
) -> None:
    superuser_connection.execute(f"GRANT thanopg_reader TO {role}")
    status = "SELECT rows, embedded, pending, failed FROM embedding_status"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("SELECT * FROM search_image('x', 'fake')")
    assert session.execute(status).fetchone() == (None, None, None, None)
    assert session.execute("SELECT * FROM failure").fetchall() == []
    connection.execute(f"GRANT SELECT ON photo TO {role}")
    assert session.execute("SELECT key FROM search_image('x', 'fake')").fetchall() == [({"id": 1},)]
    assert session.execute(status).fetchone() == (3, 1, 1, 1)
    assert session.execute("SELECT key, error_text FROM failure").fetchall() == [({"id": 3}, "secret")]


LEAK = """
    CREATE FUNCTION pg_temp.leak(value anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0001
    AS $$ BEGIN RAISE NOTICE 'leaked %', value; RETURN true; END $$
"""


def test_row_level_security_lets_nothing_out(
    connection: Connection, superuser_connection: Connection, session: Connection, role: str, three_photos: str
) -> None:
    """Neither rows nor counts nor texts of failures, and not through a function that runs before the policy does."""
    superuser_connection.execute(f"GRANT thanopg_reader TO {role}")
    connection.execute("UPDATE photo SET fake_base = array_fill(0.5::real, ARRAY[8])::vector")
    connection.execute(f"GRANT SELECT ON photo TO {role}; ALTER TABLE photo ENABLE ROW LEVEL SECURITY")
    connection.execute(f"CREATE POLICY own ON photo TO {role} USING (seller = 'kim')")
    notices: list[str] = []
    session.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
    session.execute(LEAK)
    for call in (
        "SELECT (key->>'id')::int FROM search_image('x', 'fake', 100) WHERE pg_temp.leak(image)",
        "SELECT (key->>'id')::int FROM search_image('x', 'fake', 100, filter => 'pg_temp.leak(image_path)')",
        "SELECT (key->>'id')::int FROM search_image('x', 'fake', 100, options => '{\"exact\": true}')",
        "SELECT (item).id FROM search_rows(NULL::photo, 'x', 'fake', 100) WHERE pg_temp.leak((item).image_path)",
        "SELECT 1 UNION ALL SELECT (key->>'id')::int FROM similar_image('photo', '{\"id\": 1}', 'fake', 100)",
    ):
        found = session.execute(call.encode()).fetchall()
        assert sorted(found) == [(1,), (2,)], call
    with pytest.raises(psycopg.errors.NoDataFound):  # as if there were no such row
        session.execute("SELECT * FROM similar_image('photo', '{\"id\": 3}', 'fake')")
    status = session.execute("SELECT rows, embedded, pending, failed, rate, time_left FROM embedding_status").fetchone()
    assert status == (2, 2, None, None, 0.0, None)
    assert session.execute("SELECT count(*) FROM failure WHERE pg_temp.leak(error_text)").fetchone() == (0,)
    assert session.execute("SELECT count(*) FROM embedding_status WHERE pg_temp.leak(failed)").fetchone() == (1,)
    assert not [text for text in notices if "secret" in text or text.endswith((" 0", " 1"))], notices
    owner = connection.execute("SELECT rows, failed FROM embedding_status").fetchone()
    assert owner == (3, 1)
