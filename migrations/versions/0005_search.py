"""What searches need to remember: a prompt template per model, and how probable a column's similarities are."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = (
    "ALTER TABLE thanopg.model ADD COLUMN template text CHECK (strpos(template, '{}') > 0)",
    """
    CREATE TABLE thanopg.calibration (
      embedding     int PRIMARY KEY REFERENCES thanopg.embedding ON DELETE CASCADE,
      slope         double precision NOT NULL CHECK (slope > 0),
      intercept     double precision NOT NULL,
      text_column   name NOT NULL,
      row_count     int NOT NULL,
      calibrated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # --- words for \d+ ---
    "COMMENT ON COLUMN thanopg.model.template IS 'sentence that a query is put into, at {}, to search pictures'",
    "COMMENT ON TABLE thanopg.calibration IS "
    "'per embedding column: probability = 1 / (1 + exp(-(slope * similarity + intercept)))'",
    "COMMENT ON COLUMN thanopg.calibration.text_column IS 'whose texts were taken to fit their own rows'",
    "COMMENT ON COLUMN thanopg.calibration.row_count IS 'rows in the sample'",
)
OLD_FUNCTIONS = (
    "run_search(thanopg.embedding_column, text, int, text, jsonb)",
    "other_rows(thanopg.embedding_column, jsonb, text)",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)
    for signature in OLD_FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    op.execute("DROP VIEW IF EXISTS thanopg.embedding_column CASCADE")
    op.execute("DROP TABLE thanopg.calibration")
    op.execute("ALTER TABLE thanopg.model DROP COLUMN template")
