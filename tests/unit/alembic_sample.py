"""What a migration's author writes with `from thanopg.alembic import op`; lines that end in `# wrong` are refused."""

from __future__ import annotations

import sqlalchemy as sa

from thanopg.alembic import op
from thanopg.database.service_address import ServiceAddress


def upgrade() -> None:
    op.install_thanopg()
    op.install_thanopg(service=ServiceAddress(host="10.0.0.7", password="secret"))
    op.create_table("photo", sa.Column("id", sa.Integer, primary_key=True), sa.Column("image_path", sa.Text))
    op.create_model("shop", base="siglip2")
    op.add_image_embedding("photo", "image_path", model="shop", column_name="embedding", type="halfvec", index="later")
    op.add_caption("photo", "image_path", model="words", language="ko", prompt="뭐예요?", attributes_column="facts")
    op.add_text_embedding("photo", "caption", "shop", "caption_vector", schema="public")
    op.set_embedding_index("photo", "embedding", "none", existing_index="later")
    op.suspend_embeddings("photo")
    op.alter_column("photo", "image_path", type_=sa.String(500))
    op.resume_embeddings("photo")
    op.add_image_embedding("photo", "image_path", model="shop")  # wrong
    op.add_image_embedding("photo", "image_path", model="shop", column_name="v", type="bit")  # wrong
    op.add_caption("photo", "image_path", model="words", index="now")  # wrong
    op.add_picture_embedding("photo", "image_path")  # wrong


def downgrade() -> None:
    op.drop_embedding("photo", "embedding", keep_column=True)
    op.drop_embedding("photo", "caption")
    op.drop_model("shop", base="siglip2")
    op.drop_table("photo")
    op.drop_embedding("photo")  # wrong
