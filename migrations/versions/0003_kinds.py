"""Captions and text vectors beside image vectors, and columns that were filled elsewhere."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = (
    # --- a model may do only some of the three things ---
    """
    ALTER TABLE thanopg.model
      ALTER COLUMN dimensions DROP NOT NULL,
      ALTER COLUMN context_length DROP NOT NULL,
      ADD COLUMN can_embed_texts boolean NOT NULL DEFAULT true,
      ADD COLUMN can_embed_images boolean NOT NULL DEFAULT true,
      ADD COLUMN languages text[],
      ADD CONSTRAINT model_vectors_have_dimensions
        CHECK (dimensions IS NOT NULL OR NOT (can_embed_texts OR can_embed_images))
    """,
    # --- three kinds of embedding columns ---
    """
    ALTER TABLE thanopg.embedding
      ADD COLUMN kind text NOT NULL DEFAULT 'image' CHECK (kind IN ('image', 'caption', 'text')),
      ADD COLUMN language text,
      ADD COLUMN prompt text,
      ADD COLUMN attributes_attnum int2,
      ADD COLUMN attributes_name name,
      ADD CONSTRAINT embedding_words_are_captions
        CHECK (kind = 'caption' OR num_nonnulls(language, prompt, attributes_attnum, attributes_name) = 0),
      ADD CONSTRAINT embedding_attributes_have_both CHECK ((attributes_attnum IS NULL) = (attributes_name IS NULL))
    """,
    # --- adoption ---
    "ALTER TABLE thanopg.pending ADD COLUMN adopting boolean NOT NULL DEFAULT false",
    "ALTER TABLE thanopg.provenance ALTER COLUMN content_hash DROP NOT NULL, ALTER COLUMN bytes DROP NOT NULL",
    # --- words for \d+ ---
    "COMMENT ON COLUMN thanopg.model.dimensions IS 'null: it makes no vectors, and only writes captions'",
    "COMMENT ON COLUMN thanopg.model.languages IS 'of its captions, its own first; null: none, or not known'",
    "COMMENT ON COLUMN thanopg.embedding.kind IS "
    "'image: vector of a picture; caption: a picture in words; text: vector of a text column'",
    "COMMENT ON COLUMN thanopg.embedding.language IS 'of a caption; null: the model''s own'",
    "COMMENT ON COLUMN thanopg.embedding.prompt IS 'what a captioner is asked, if it takes a prompt'",
    "COMMENT ON COLUMN thanopg.embedding.attributes_name IS "
    "'jsonb column beside a caption, for captioners that know attributes'",
    "COMMENT ON COLUMN thanopg.pending.adopting IS "
    "'the row''s vector was made elsewhere: it is compared with a new one, not replaced'",
    "COMMENT ON COLUMN thanopg.provenance.content_hash IS "
    "'sha256 of the image bytes, or of the text as NFC in UTF-8; null: the vector was made elsewhere'",
)
"""Signatures that have changed: CREATE OR REPLACE would leave the old function beside the new one."""
OLD_FUNCTIONS = (
    "check_source(regclass, name)",
    "find_embedding_column(text, regclass, name)",
    "read_source(int, jsonb[])",
    "finish(int, uuid, text, jsonb[], bytea[], text[], bytea[], bigint[], timestamptz[])",
    "drop_embedding(regclass, text)",
)
NEW_FUNCTIONS = (
    "check_source(regclass, name, text)",
    "find_embedding_column(text, regclass, name, text)",
    "read_source(int, jsonb[])",
    "finish(int, uuid, text, jsonb[], bytea[], text[], bytea[], bigint[], timestamptz[], jsonb[])",
    "drop_embedding(regclass, text, boolean)",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)
    for signature in OLD_FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    """Captions and text vectors are given up; their columns stay where they are, as ordinary ones."""
    for signature in NEW_FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")
    op.execute("DROP VIEW IF EXISTS thanopg.embedding_column CASCADE")
    op.execute("DELETE FROM thanopg.embedding WHERE kind <> 'image'")
    op.execute("DELETE FROM thanopg.model WHERE dimensions IS NULL OR context_length IS NULL OR NOT can_embed_images")
    op.execute("DELETE FROM thanopg.provenance WHERE content_hash IS NULL OR bytes IS NULL")
    op.execute("ALTER TABLE thanopg.provenance ALTER COLUMN content_hash SET NOT NULL, ALTER COLUMN bytes SET NOT NULL")
    op.execute("ALTER TABLE thanopg.pending DROP COLUMN adopting")
    op.execute(
        "ALTER TABLE thanopg.embedding DROP COLUMN kind, DROP COLUMN language, DROP COLUMN prompt, "
        "DROP COLUMN attributes_attnum, DROP COLUMN attributes_name"
    )
    op.execute(
        "ALTER TABLE thanopg.model DROP COLUMN can_embed_texts, DROP COLUMN can_embed_images, DROP COLUMN languages, "
        "ALTER COLUMN dimensions SET NOT NULL, ALTER COLUMN context_length SET NOT NULL"
    )
