"""The database's catalogue → a Registry."""

from __future__ import annotations

from thanopg.thanosql.access import Access
from thanopg.thanosql.registry import Embedding, Model, Registry, TableInfo

MODELS = """
    SELECT name, base, source, fingerprint, can_embed_images, can_embed_texts, can_caption
    FROM thanopg.model ORDER BY name
"""
TABLES = """
    SELECT n.nspname, c.relname, c.relkind IN ('r', 'p'), ARRAY(
      SELECT a.attname::text FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'thanopg') AND n.nspname NOT LIKE 'pg\\_toast%'
      AND has_schema_privilege(n.oid, 'USAGE')
    ORDER BY 1, 2
"""
EMBEDDINGS = """
    SELECT e.id, n.nspname, c.relname, e.column_name::text, e.model, e.source_name::text, e.kind,
      CASE WHEN e.index_policy = 'binary' AND thanopg.has_binary_index(e.target, e.column_name) THEN e.dimensions END
    FROM thanopg.embedding_column e JOIN pg_class c ON c.oid = e.target JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY e.id
"""
WRITING = """
    SELECT current_schemas(true)::text[], format_type(t.oid, NULL), thanopg.distance_operator(t.oid)
    FROM pg_type t JOIN pg_extension x ON x.extname = 'vector' AND x.extnamespace = t.typnamespace
    WHERE t.typname = 'vector'
"""


def read_registry(access: Access) -> Registry:
    (path, vector_type, distance) = access.query(WRITING)[0]
    return Registry(
        models=tuple(Model(*row) for row in access.query(MODELS)),
        tables=tuple(
            TableInfo(schema, name, tuple(columns), is_table)
            for schema, name, is_table, columns in access.query(TABLES)
        ),
        embeddings=tuple(Embedding(*row) for row in access.query(EMBEDDINGS)),
        search_path=tuple(path),
        vector_type=vector_type,
        distance=distance,
    )
