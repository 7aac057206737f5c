"""Queues of millions: an index of faults, claims that go on behind the last one, packed vectors, binary indexes."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


OLD_FUNCTIONS = (
    "claim(int, uuid, int, interval, boolean)",
    "finish(int, uuid, text, jsonb[], bytea[], text[], bytea[], bigint[], timestamptz[], jsonb[], text[])",
)
NEW_FUNCTIONS = (
    "claim(int, uuid, int, interval, boolean, timestamptz)",
    "finish(int, uuid, text, jsonb[], bytea[], text[], bytea[], bigint[], timestamptz[], jsonb[], text[], vector[])",
)


POLICY = """
    ALTER TABLE thanopg.embedding
      DROP CONSTRAINT embedding_index_policy_check,
      ADD CONSTRAINT embedding_index_policy_check CHECK (index_policy IN ({policies}))
"""


def upgrade() -> None:
    op.execute(POLICY.format(policies="'now', 'later', 'binary', 'none'"))
    # few among many: without it whoever looks for failures reads all that waits
    op.execute("CREATE INDEX pending_fault ON thanopg.pending (embedding, error_type) WHERE error_type IS NOT NULL")
    for signature in OLD_FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    for signature in NEW_FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")
    op.execute("DROP INDEX thanopg.pending_fault")
    op.execute("UPDATE thanopg.embedding SET index_policy = 'later' WHERE index_policy = 'binary'")
    op.execute(POLICY.format(policies="'now', 'later', 'none'"))
