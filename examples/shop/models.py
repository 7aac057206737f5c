"""The shop's one table. Its embedding is declared like an index: what is made, from which column, by which model."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from thanopg.sqlalchemy import Vector, image_embedding


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[int]
    image_path: Mapped[str]
    embedding: Mapped[Vector | None] = image_embedding("image_path", model="shop_v2")
