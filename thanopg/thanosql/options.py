"""OPTIONS (…) → typed values. An unknown option is a warning, a value that can't be meant is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thanopg.errors import SyntaxNotUnderstood
from thanopg.thanosql.tree import Listed, Number, Option, Parameter, Span, Text, Value, Word
from thanopg.thanosql.vocabulary import CHOICES, OPTIONS, Takes, did_you_mean, nearest

LARGEST_COUNT = 2**31 - 1


@dataclass
class OptionReader:
    """Checks the options of one statement."""

    statement: str
    parameters: Mapping[str, object]
    warnings: list[str] = field(default_factory=list)

    def read(self, kind: str, options: tuple[Option, ...]) -> dict[str, Any]:
        """`kind`: SEARCH, CONVERT, …; truth → bool, count → int or None, number → float, the others → str."""
        known = OPTIONS[kind]
        values: dict[str, Any] = {}
        for option in options:
            if option.key not in known:
                near = nearest(option.key, known)
                hint = f"did you mean {near}?" if near else f"known: {', '.join(known)}"
                self.warnings.append(f"{kind} has no option {option.key}, it is ignored; {hint}")
                continue
            values[option.key] = self._typed(option.key, known[option.key], self.given(option.value), option.value.at)
        return values

    def given(self, value: Value) -> Any:
        """A value as Python has it; words stay as they are written."""
        match value:
            case Text() | Number() | Word():
                return value.value
            case Parameter():
                return self.parameter(value)
            case Listed():
                return [self.given(item) for item in value.items]

    def parameter(self, parameter: Parameter) -> Any:
        if parameter.name not in self.parameters:
            raise self.error(
                f"there is no value for ${parameter.name}",
                parameter.at,
                hint=did_you_mean(parameter.name, self.parameters, what="there are")
                or "give it a value under that name, or write it as a text in quotes",
            )
        value = self.parameters[parameter.name]
        return value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value

    def error(self, message: str, at: Span, *, hint: str = "") -> SyntaxNotUnderstood:
        return SyntaxNotUnderstood(
            message, hint=hint, statement=self.statement, offset=at.start, length=max(1, at.end - at.start)
        )

    def _typed(self, key: str, takes: Takes, value: Any, at: Span) -> Any:
        if takes == "value":
            return value
        if takes == "truth":
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true"
            raise self.error(f"{key} is True or False", at)
        if takes == "count":
            if isinstance(value, str) and value.lower() == "none":
                return None
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_COUNT:
                return value
            raise self.error(f"{key} is a whole number from 1", at)
        if takes == "number":
            if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                return float(value)
            raise self.error(f"{key} is a number greater than 0", at)
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{key} is a name" if takes == "name" else f"{key} is a text", at)
        if takes == "choice" and value.lower() not in CHOICES[key]:
            raise self.error(f"{key} is {' or '.join(CHOICES[key])}", at, hint=did_you_mean(value, CHOICES[key]))
        return value.lower() if takes == "choice" else value
