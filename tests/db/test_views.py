"""What people's own views and programs rest upon: columns of our views stay what they were, and new ones come last.

CREATE OR REPLACE VIEW refuses anything else, so that a change here would make install fail on databases in use.
"""

from __future__ import annotations

import psycopg
import pytest

RELEASED = {
    "embedding_column": (
        "id integer, target regclass, table_name name C, key_names name[] C, key_types text[] default, "
        "source_name name C, source_is_bytes boolean, column_name name C, type_id oid, type text default, "
        "model text default, base text default, model_source text default, dimensions integer, "
        "fingerprint text default, index_policy text default, "
        "kind text default, language text default, prompt text default, attributes_name name C"
    ),
    "embedding_status": (
        "target regclass, column_name name C, model text default, rows bigint, embedded bigint, pending bigint, "
        "failed bigint, rate double precision, time_left interval, index text default, "
        "kind text default, source name C, chain text default, estimated boolean"
    ),
    "failure": (
        "target regclass, column_name name C, key jsonb, error_type text default, error_text text default, "
        "attempts integer, failed_at timestamp with time zone, next_attempt_at timestamp with time zone"
    ),
}


@pytest.mark.parametrize("view", RELEASED)
def test_columns_with_types_and_collations(connection: psycopg.Connection, view: str) -> None:
    row = connection.execute(
        "SELECT string_agg("
        "concat_ws(' ', attname, format_type(atttypid, atttypmod), l.collname), ', ' ORDER BY attnum) "
        "FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation "
        "WHERE attrelid = %s::regclass AND attnum > 0",
        (f"thanopg.{view}",),
    ).fetchone()
    assert row is not None and str(row[0]).startswith(RELEASED[view])
