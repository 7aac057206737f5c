"""A list of hybrid search is told all options and says what it is made of: near_list's old signature goes."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMN = "thanopg.embedding_column"
OLD = (f"near_list({COLUMN}, text, integer, text, boolean)",)
NEW = (
    f"near_list({COLUMN}, text, integer, text, jsonb)",
    f"filter_effort({COLUMN}, text, integer)",
    "planned(text)",
    "candidates(bigint)",
)


def upgrade() -> None:
    for signature in OLD:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    for signature in NEW:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")
