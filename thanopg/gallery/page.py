"""One self-contained HTML page of searches and the pictures they found. Everything that is not ours is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined


@dataclass(frozen=True, kw_only=True)
class Hit:
    name: str
    similarity: float | None
    """None: it was not searched for"""
    picture: str
    """data: URI; empty where there is no picture"""
    path: str


@dataclass(frozen=True, kw_only=True)
class Search:
    query: str
    language: str
    """ISO 639-1"""
    statement: str
    hits: Sequence[Hit]
    milliseconds: float


def render_page(*, title: str, introduction: str, searches: Sequence[Search], footer: str) -> str:
    """HTML5, UTF-8, without a script and without a reference to anything outside."""
    environment = Environment(
        loader=PackageLoader("thanopg.gallery"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        title=title, introduction=introduction, searches=searches, footer=footer
    )
