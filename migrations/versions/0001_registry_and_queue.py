"""What holds data: the registry of models and embedding columns, pending work, provenance."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE thanopg.model (
      name           text PRIMARY KEY CHECK (name <> ''),
      base           text NOT NULL CHECK (base <> ''),
      source         text NOT NULL,
      architecture   text NOT NULL,
      dimensions     int  NOT NULL CHECK (dimensions > 0),
      fingerprint    text NOT NULL,
      context_length int  NOT NULL,
      can_caption    boolean NOT NULL DEFAULT false,
      created_at     timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE thanopg.embedding (
      id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      target        regclass NOT NULL,
      target_oid    oid NOT NULL,
      key_attnums   int2[] NOT NULL,
      key_names     name[] NOT NULL,
      source_attnum int2 NOT NULL,
      source_name   name NOT NULL,
      column_attnum int2 NOT NULL,
      column_name   name NOT NULL,
      model         text NOT NULL REFERENCES thanopg.model ON UPDATE CASCADE,
      fingerprint   text NOT NULL,
      index_policy  text NOT NULL CHECK (index_policy IN ('now', 'later', 'none')),
      created_at    timestamptz NOT NULL DEFAULT now(),
      UNIQUE (target, column_attnum)
    )
    """,
    """
    CREATE TABLE thanopg.pending (
      embedding    int NOT NULL REFERENCES thanopg.embedding ON DELETE CASCADE,
      key          jsonb NOT NULL,
      available_at timestamptz NOT NULL DEFAULT now(),
      claimed_by   uuid,
      attempts     int NOT NULL DEFAULT 0,
      lost_leases  int NOT NULL DEFAULT 0,
      error_type   text,
      error_text   text,
      failed_at    timestamptz,
      source_hash  bytea,
      PRIMARY KEY (embedding, key)
    ) WITH (autovacuum_vacuum_scale_factor = 0.05)
    """,
    "CREATE INDEX pending_available ON thanopg.pending (embedding, available_at)",
    # suspects, few among many: without it every look for one would read all that waits
    """
    CREATE INDEX pending_suspect ON thanopg.pending (embedding, available_at)
    WHERE lost_leases > 0 OR claimed_by IS NOT NULL
    """,
    """
    CREATE TABLE thanopg.provenance (
      embedding    int NOT NULL REFERENCES thanopg.embedding ON DELETE CASCADE,
      key          jsonb NOT NULL,
      source_hash  bytea NOT NULL,
      content_hash bytea NOT NULL,
      bytes        bigint NOT NULL,
      modified_at  timestamptz,
      fingerprint  text NOT NULL,
      embedded_at  timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (embedding, key)
    )
    """,
    "CREATE INDEX provenance_embedded_at ON thanopg.provenance (embedding, embedded_at)",
    # --- words for \d+ ---
    "COMMENT ON SCHEMA thanopg IS 'text-to-image search: models, embedding columns, pending work'",
    "COMMENT ON TABLE thanopg.model IS 'registered models; SQL calls refer to them by name'",
    "COMMENT ON COLUMN thanopg.model.base IS 'model family; part of the default column name'",
    "COMMENT ON COLUMN thanopg.model.source IS "
    "'where the weights come from: architecture/weights, hf-hub:, local-dir:, bundled:'",
    "COMMENT ON COLUMN thanopg.model.fingerprint IS 'sha256 over architecture, weights, preprocessing and dimensions'",
    "COMMENT ON TABLE thanopg.embedding IS 'embedding columns: target column + source column + model'",
    "COMMENT ON COLUMN thanopg.embedding.target_oid IS "
    "'oid when the attnums were read; differs from target after a restore, and then names count'",
    "COMMENT ON COLUMN thanopg.embedding.fingerprint IS 'the one fingerprint whose vectors this column holds'",
    "COMMENT ON TABLE thanopg.pending IS 'one row waiting for one embedding'",
    "COMMENT ON COLUMN thanopg.pending.key IS 'jsonb array of the key columns, in the order of embedding.key_attnums'",
    "COMMENT ON COLUMN thanopg.pending.available_at IS 'backoff and end of lease; infinity = set aside'",
    "COMMENT ON COLUMN thanopg.pending.claimed_by IS 'token of one claim; NULL = free, or the source changed since'",
    "COMMENT ON COLUMN thanopg.pending.source_hash IS 'sha256 of the source that failed'",
    "COMMENT ON TABLE thanopg.provenance IS 'what each written vector was made from'",
    "COMMENT ON COLUMN thanopg.provenance.source_hash IS "
    "'sha256 of the source column: the path as UTF-8, or the bytea'",
    "COMMENT ON COLUMN thanopg.provenance.content_hash IS 'sha256 of the image bytes'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("provenance", "pending", "embedding", "model"):
        op.execute(f"DROP TABLE thanopg.{table} CASCADE")
