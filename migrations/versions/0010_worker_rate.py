"""What workers did lately stays known: from it add_image_embedding and embedding_status say how long work will take."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UPGRADE = (
    """
    CREATE TABLE thanopg.worker_rate (
      fingerprint text NOT NULL,
      kind        text NOT NULL,
      row_count   bigint NOT NULL CHECK (row_count > 0),
      seconds     double precision NOT NULL CHECK (seconds > 0),
      measured_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (fingerprint, kind)
    )
    """,
    # --- words for \d+ ---
    "COMMENT ON TABLE thanopg.worker_rate IS "
    "'how fast one worker was lately, while more rows waited; the worker that noted last'",
    "COMMENT ON COLUMN thanopg.worker_rate.kind IS 'of embedding column: image, caption or text'",
    "COMMENT ON COLUMN thanopg.worker_rate.seconds IS 'that the latest row_count rows took'",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP VIEW IF EXISTS thanopg.embedding_status")
    op.execute("DROP TABLE thanopg.worker_rate CASCADE")
