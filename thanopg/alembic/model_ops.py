"""Operations on models: `op.create_model`, `op.drop_model`. The service is asked what a model is, so it must run."""

from __future__ import annotations

from typing import Any

from alembic.operations import MigrateOperation, Operations


@Operations.register_operation("create_model")
class CreateModelOp(MigrateOperation):
    """A name for a base or a source."""

    def __init__(self, name: str, *, base: str | None = None, source: str | None = None) -> None:
        self.name = name
        self.base = base
        self.source = source

    def reverse(self) -> DropModelOp:
        return DropModelOp(self.name, base=self.base, source=self.source)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("create_model", self.name, self.base, self.source)

    @classmethod
    def create_model(
        cls, operations: Operations, name: str, *, base: str | None = None, source: str | None = None
    ) -> None:
        """Register a model under the name that embedding columns refer to."""
        operations.invoke(cls(name, base=base, source=source))


@Operations.register_operation("drop_model")
class DropModelOp(MigrateOperation):
    """The name is forgotten; base and source are what it was, for the way back."""

    def __init__(self, name: str, *, base: str | None = None, source: str | None = None) -> None:
        self.name = name
        self.base = base
        self.source = source

    def reverse(self) -> CreateModelOp:
        return CreateModelOp(self.name, base=self.base, source=self.source)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("drop_model", self.name, self.base, self.source)

    @classmethod
    def drop_model(
        cls, operations: Operations, name: str, *, base: str | None = None, source: str | None = None
    ) -> None:
        """Forget a model that no embedding column uses. `base` and `source` say what it was, for the way back."""
        operations.invoke(cls(name, base=base, source=source))
