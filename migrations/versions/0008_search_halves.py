"""A search is several statements: near_statement is told the query's vector, written_search gives them all."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMN = "thanopg.embedding_column"
WRITTEN_SEARCH = f"written_search({COLUMN}, text, bytea, jsonb, text, integer, text, jsonb, boolean)"
OLD = (f"near_statement({COLUMN}, text, text, text, text, integer, jsonb)", WRITTEN_SEARCH)
NEW = (
    f"near_statement({COLUMN}, text, text, text, text, text, integer, jsonb)",
    f"search_halves({COLUMN}, text, text, integer, text, jsonb, text)",
    f"search_statements({COLUMN}, text, integer, text, jsonb)",
    WRITTEN_SEARCH,
)


def upgrade() -> None:
    for signature in OLD:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    for signature in NEW:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")
