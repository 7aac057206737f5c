"""What is to be done for a statement, as plain values: made by the compiler, carried out by the session."""

from __future__ import annotations

from dataclasses import dataclass

from thanopg.thanosql.fragment import Fragment
from thanopg.thanosql.registry import Kind, Model, TableInfo
from thanopg.thanosql.tree import Span


@dataclass(frozen=True, kw_only=True)
class ConvertStep:
    """Embed or caption what a column holds, and wait for it."""

    kind: Kind
    model: Model
    source_column: str
    column: str
    language: str | None = None
    prompt: str | None = None
    attributes_column: str | None = None
    """of captions, like the two before it"""
    batch_size: int | None
    table: tuple[str, ...]
    """whose rows are converted: the source itself, or the table that is made of `source`"""
    source: Fragment | None
    """a query whose rows become `table`; None: `table` is there and keeps its rows"""
    carries: TableInfo | None = None
    """the one table that `source` reads, whose key is carried over"""
    remade: tuple[str, ...] = ()
    """columns of `source` that do not come along, because they are made anew"""
    replaced: TableInfo | None = None
    """the table that gives its name to the new one"""
    at: Span
    source_at: Span


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """The form for the vector index, which stands for the plain one if it gives all the rows that were asked for."""

    sql: Fragment
    rows: int
    label: str | None
    """the output column that shows the similarity, if there is one"""
    explains: bool


@dataclass(frozen=True, kw_only=True)
class RowsPlan:
    """SQL, after the conversions in it."""

    converts: tuple[ConvertStep, ...]
    sql: Fragment
    indexed: Indexed | None = None
    effort: int = 0
    """how many rows an index scan is to give at most; 0: no vector index is in play"""
    searches: bool = False
    utility: bool = False
    """PostgreSQL takes no parameters in it"""


@dataclass(frozen=True, kw_only=True)
class PrintPlan:
    rows: RowsPlan
    image_column: str | None
    """None: image_path, or whatever one the query has"""
    at: Span


@dataclass(frozen=True, kw_only=True)
class CopyPlan:
    table: tuple[str, ...]
    if_exists: str
    """fail, replace, append"""
    source: object
    """a path, or what a parameter holds"""
    existing: TableInfo | None
    at: Span
    source_at: Span


@dataclass(frozen=True, kw_only=True)
class GetPlan:
    base: str
    name: str
    overwrite: bool
    at: Span


@dataclass(frozen=True, kw_only=True)
class DeletePlan:
    name: str
    at: Span


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    name: str
    source: str
    """the weights that training starts from"""
    base: str
    rows: RowsPlan
    image_column: str
    text_column: str
    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    overwrite: bool
    fit: bool
    at: Span


Plan = RowsPlan | PrintPlan | CopyPlan | GetPlan | DeletePlan | BuildPlan
