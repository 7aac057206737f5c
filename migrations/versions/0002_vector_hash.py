"""Provenance knows the vector that was written, so that one which came otherwise is never taken for it."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE thanopg.provenance ADD COLUMN vector_hash bytea")
    op.execute("COMMENT ON COLUMN thanopg.provenance.vector_hash IS 'sha256 of the vector as it was stored, in binary'")


def downgrade() -> None:
    op.execute("ALTER TABLE thanopg.provenance DROP COLUMN vector_hash")
