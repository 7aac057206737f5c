"""Provenance knows a remote picture's ETag, so that refresh asks for what has changed and for nothing else."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLD_FUNCTIONS = (
    "read_source(int, jsonb[])",
    "forget(int, uuid, jsonb[])",
    "finish(int, uuid, text, jsonb[], bytea[], text[], bytea[], bigint[], timestamptz[], jsonb[])",
)
NEW_FUNCTIONS = (
    "read_source(int, jsonb[])",
    "forget(int, uuid, jsonb[], text[])",
    "finish(int, uuid, text, jsonb[], bytea[], text[], bytea[], bigint[], timestamptz[], jsonb[], text[])",
)


def upgrade() -> None:
    op.execute("ALTER TABLE thanopg.provenance ADD COLUMN etag text")
    op.execute(
        "COMMENT ON COLUMN thanopg.provenance.etag IS "
        "'strong ETag with which the server sent the image; null: none, or no server'"
    )
    for signature in OLD_FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    for signature in NEW_FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")
    op.execute("ALTER TABLE thanopg.provenance DROP COLUMN etag")
