"""GET THANOSQL MODEL and DELETE MODEL."""

from __future__ import annotations

from thanopg.models.bases import BASES
from thanopg.thanosql.access import Access
from thanopg.thanosql.fragment import Ours, assemble
from thanopg.thanosql.plan import DeletePlan, GetPlan
from thanopg.thanosql.result import Message


def get_model(access: Access, plan: GetPlan, statement: str) -> Message:
    """Registers a base, or a source, under a name; the service loads it."""
    known = plan.base.lower() in BASES
    base, source = (plan.base.lower(), None) if known else (None, plan.base)
    with access.errors(statement, assemble((Ours("", plan.at),))):
        access.query(
            "SELECT thanopg.create_model($1, base => $2, source => $3, replace => $4)",
            plan.name,
            base,
            source,
            plan.overwrite,
        )
    return Message(status="GET MODEL", notes=(f"model {plan.name} is registered",))


def delete_model(access: Access, plan: DeletePlan, statement: str) -> Message:
    """Refused while an embedding column uses it."""
    with access.errors(statement, assemble((Ours("", plan.at),))):
        access.query("SELECT thanopg.drop_model($1)", plan.name)
    return Message(status="DELETE MODEL")
