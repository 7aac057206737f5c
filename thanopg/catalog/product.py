"""One product: what its picture shows, what it is called and how it is described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from thanopg.catalog.attributes import CATEGORIES, DRAWN, OPTIONAL
from thanopg.errors import InvalidArgument


@dataclass(frozen=True, kw_only=True)
class Product:
    """A row of the catalogue. None: a product of this category has no such attribute."""

    id: int
    image_path: str
    """relative to the catalogue's directory, with `/`"""
    name: str
    description: str
    category: str
    colour: str
    shade: str
    pattern: str
    material: str | None
    neckline: str | None
    length: str | None
    sleeve: str | None
    cut: str | None
    heel: str | None
    caption_ko: str
    caption_en: str
    seed: str
    """what its picture is drawn from, beside the attributes"""

    @property
    def attributes(self) -> dict[str, str]:
        """Everything drawn, and the group that the category belongs to."""
        drawn = {name: getattr(self, name) for name in DRAWN if getattr(self, name) is not None}
        return {"group": CATEGORIES[self.category].group, **drawn}

    def shows(self, named: Mapping[str, str]) -> bool:
        """Has the picture every attribute that a query names."""
        mine = self.attributes
        return all(mine.get(name) == value for name, value in named.items())

    def as_row(self) -> dict[str, str]:
        """For csv: every value as text, an absent attribute as the empty text."""
        return {name: "" if value is None else str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Product:
        """The reverse of `as_row`. Raises InvalidArgument when a column is missing or the id is no number."""
        missing = [name for name in COLUMNS if name not in row]
        if missing:
            raise InvalidArgument(f"a product needs the column {missing[0]!r}")
        if not row["id"].isdecimal():
            raise InvalidArgument(f"a product's id must be a whole number, not {row['id']!r}")
        optional = {name: row[name] or None for name in OPTIONAL}
        rest = {name: row[name] for name in COLUMNS if name not in optional and name != "id"}
        return cls(id=int(row["id"]), **optional, **rest)  # type: ignore[arg-type]  # names are checked above


COLUMNS = tuple(field.name for field in fields(Product))
