"""Queues of millions: faults have an index of their own, and a claim begins where the last one ended."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # few among many: without it whoever looks for failures reads all that waits
    op.execute("CREATE INDEX pending_fault ON thanopg.pending (embedding, error_type) WHERE error_type IS NOT NULL")
    op.execute("DROP FUNCTION IF EXISTS thanopg.claim(int, uuid, int, interval, boolean)")


def downgrade() -> None:
    op.execute("DROP INDEX thanopg.pending_fault")
    op.execute("DROP FUNCTION IF EXISTS thanopg.claim(int, uuid, int, interval, boolean, timestamptz)")
