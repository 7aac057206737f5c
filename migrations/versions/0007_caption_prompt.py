"""caption_image takes a prompt, and leaves the language to the model: its old signature goes."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OLD = (
    "caption_image(bytea, text, text)",
    "ask_caption(bytea, text, text, text)",
    "caption_request(bytea, text, text, text)",
)
NEW = (
    "caption_image(bytea, text, text, text)",
    "ask_caption(bytea, text, text, text, text)",
    "caption_request(bytea, text, text, text, text)",
)


def upgrade() -> None:
    for signature in OLD:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")


def downgrade() -> None:
    for signature in NEW:
        op.execute(f"DROP FUNCTION IF EXISTS thanopg.{signature}")
