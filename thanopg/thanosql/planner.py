"""Statement as text → what is to be done. Pure, given a Registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thanopg.errors import ThanopgError
from thanopg.models.bases import BASES, resolve_source
from thanopg.thanosql.compiler import Compiler
from thanopg.thanosql.options import OptionReader
from thanopg.thanosql.plan import BuildPlan, CopyPlan, DeletePlan, GetPlan, Plan, PrintPlan
from thanopg.thanosql.registry import Registry
from thanopg.thanosql.tree import (
    BuildModel,
    Copy,
    DeleteModel,
    GetModel,
    Name,
    Parameter,
    Print,
    Span,
    Statement,
)
from thanopg.thanosql.vocabulary import did_you_mean


def make_plan(
    statement: str,
    tree: Statement,
    registry: Registry,
    parameters: Mapping[str, object],
    frames: Mapping[str, object],
    warnings: list[str],
) -> Plan:
    """Raises SyntaxNotUnderstood. What is only worth a warning is added to `warnings`."""
    options = OptionReader(statement, parameters, warnings)
    compiler = Compiler(statement, registry, options)
    match tree:
        case Print():
            return _print(tree, compiler, options)
        case Copy():
            return _copy(tree, compiler, options, frames)
        case GetModel():
            return _get(tree, registry, options)
        case DeleteModel():
            return DeletePlan(name=compiler.names.model(tree.name).name, at=tree.name.at)
        case BuildModel():
            return _build(tree, registry, compiler, options)
        case _:
            return compiler.rows(tree)


def _print(tree: Print, compiler: Compiler, options: OptionReader) -> PrintPlan:
    values = options.read("PRINT", tree.options)
    if "base_dir" in values:
        options.warnings.append("base_dir is ignored: paths begin at the image root")
    image = values.get("image_col") or values.get("image_column")
    at = next(
        (o.value.at for o in tree.options if o.key.startswith("image_col")), Span(tree.at.start, tree.at.start + 5)
    )
    return PrintPlan(rows=compiler.rows(tree.query), image_column=image, at=at)


def _copy(tree: Copy, compiler: Compiler, options: OptionReader, frames: Mapping[str, object]) -> CopyPlan:
    values = options.read("COPY", tree.options)
    overwrite = values.get("overwrite", False)
    if overwrite and values.get("if_exists", "replace") != "replace":
        raise options.error(f"overwrite=True and if_exists='{values['if_exists']}' contradict each other", tree.at)
    path, existing = compiler.names.target(tree.table.parts, tree.table.at)
    source: Any
    if isinstance(tree.source, Parameter) and tree.source.name in frames:
        source = frames[tree.source.name]
    elif isinstance(tree.source, Parameter):
        options.parameters = {**frames, **options.parameters}
        source = options.parameter(tree.source)
    else:
        source = tree.source.value
    return CopyPlan(
        table=path,
        if_exists="replace" if overwrite else values.get("if_exists", "fail"),
        source=source,
        existing=existing,
        at=tree.table.at,
        source_at=tree.source.at,
    )


def _get(tree: GetModel, registry: Registry, options: OptionReader) -> GetPlan:
    values = options.read("GET", tree.options)
    base = str(tree.base)
    try:
        resolve_source(base)
    except ThanopgError as error:
        raise options.error(error.message, tree.base.at, hint=did_you_mean(base, BASES, what="bases")) from error
    name = str(tree.name) if tree.name else values.get("model_name", base).lower()
    overwrite = values.get("overwrite", False)
    at = tree.name.at if tree.name else tree.base.at
    if not overwrite and registry.model(name) is not None:
        raise options.error(f"model {name} exists", at, hint="OPTIONS(overwrite=True) replaces it")
    return GetPlan(base=base, name=name, overwrite=overwrite, at=at)


def _build(tree: BuildModel, registry: Registry, compiler: Compiler, options: OptionReader) -> BuildPlan:
    values = options.read("BUILD", tree.options)
    overwrite = values.get("overwrite", False)
    if not overwrite and registry.model(str(tree.name)) is not None:
        raise options.error(f"model {tree.name} exists", tree.name.at, hint="OPTIONS(overwrite=True) replaces it")
    used = [embedding for embedding in registry.embeddings if embedding.model == str(tree.name).lower()]
    if used:
        raise options.error(
            f"model {tree.name} is used by {used[0].table}.{used[0].column}",
            tree.name.at,
            hint="build under a new name, or first: SELECT drop_embedding('table', 'column')",
        )
    base, source = _start(tree.start, tree.fit, registry, options)
    return BuildPlan(
        name=str(tree.name).lower(),
        base=base,
        source=source,
        rows=compiler.rows(tree.query),
        image_column=values.get("image_col", "image_path"),
        text_column=values.get("text_col", "text"),
        epochs=values.get("max_epochs") or values.get("epochs"),
        batch_size=values.get("batch_size"),
        learning_rate=values.get("learning_rate"),
        overwrite=overwrite,
        fit=tree.fit,
        at=tree.at,
    )


def _start(start: Name, fit: bool, registry: Registry, options: OptionReader) -> tuple[str, str]:
    """The base and the weights that training starts from: a base, or a model that is there."""
    model = registry.model(str(start))
    if model is not None and (fit or str(start).lower() not in BASES):
        return model.base, model.source
    base = BASES.get(str(start).lower())
    if base is not None and not fit:
        return base.name, base.source
    known = [model.name for model in registry.models] if fit else [*BASES, *(model.name for model in registry.models)]
    raise options.error(
        f"there is no {'model' if fit else 'base'} {start}",
        start.at,
        hint=did_you_mean(str(start), known, what="there are"),
    )
