"""A search's halves are written apart: near_statement is told the query's vector, and its old signature goes."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMN = "thanopg.embedding_column"
OLD = (f"near_statement({COLUMN}, text, text, text, text, integer, jsonb)",)
NEW = (
    f"near_statement({COLUMN}, text, text, text, text, text, integer, jsonb)",
    f"search_halves({COLUMN}, text, text, integer, text, jsonb, text)",
)


def upgrade() -> None:
    for signature in OLD:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    for signature in NEW:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")
