"""LIST MODEL, LIST TABLE, LIST THANOSQL MODEL → SELECTs."""

from __future__ import annotations

from psycopg.sql import Literal

from thanopg.models.bases import BASES
from thanopg.thanosql.fragment import Fragment, Ours
from thanopg.thanosql.tree import Listing

MODELS = """\
SELECT name AS model_name, base AS model, source, dimensions
FROM thanopg.model
ORDER BY name"""
TABLES = """\
SELECT c.relname AS table_name, n.nspname AS table_schema,
  CASE WHEN has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
       THEN greatest(c.reltuples, 0)::bigint END AS estimated_rows,
  ARRAY(SELECT e.column_name FROM thanopg.embedding_column e WHERE e.target = c.oid ORDER BY e.id) AS embedding_columns
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('thanopg', 'pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
ORDER BY n.nspname, c.relname"""


def listing(statement: Listing) -> Fragment:
    if statement.what == "MODEL":
        return (Ours(MODELS, statement.at),)
    if statement.what == "TABLE":
        return (Ours(TABLES, statement.at),)
    rows = ",\n  ".join(
        f"({', '.join(Literal(text).as_string() for text in (base.name, base.name, base.source, base.description))})"
        for base in BASES.values()
    )
    text = f"SELECT * FROM (VALUES\n  {rows}\n) AS base (model_name, model, source, description)"
    return (Ours(text, statement.at),)
