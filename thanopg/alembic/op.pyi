from alembic.op import *  # noqa: F403

from thanopg.database.service_address import ServiceAddress
from thanopg.sqlalchemy.declaration import IndexPolicy, VectorType

def add_image_embedding(
    table: str,
    image_column: str,
    model: str,
    column_name: str,
    *,
    type: VectorType = "vector",
    index: IndexPolicy = "auto",
    schema: str | None = None,
) -> None:
    """Add a vector column that follows an image column."""

def add_caption(
    table: str,
    image_column: str,
    model: str,
    column_name: str = "caption",
    *,
    language: str | None = None,
    prompt: str | None = None,
    attributes_column: str | None = None,
    schema: str | None = None,
) -> None:
    """Add a text column that describes an image column, and a jsonb column of attributes where one is named."""

def add_text_embedding(
    table: str,
    text_column: str,
    model: str,
    column_name: str,
    *,
    type: VectorType = "vector",
    index: IndexPolicy = "auto",
    schema: str | None = None,
) -> None:
    """Add a vector column that follows a text column."""

def drop_embedding(table: str, column_name: str, *, keep_column: bool = False, schema: str | None = None) -> None:
    """Take an embedding column or a caption away, with triggers and pending work, or make it an ordinary one."""

def set_embedding_index(
    table: str, column_name: str, index: IndexPolicy, *, existing_index: IndexPolicy, schema: str | None = None
) -> None:
    """Change when the index of an embedding column is built, or take it away."""

def suspend_embeddings(table: str, *, schema: str | None = None) -> None:
    """Lock the table and take its embeddings' triggers away, until `resume_embeddings`."""

def resume_embeddings(table: str, *, schema: str | None = None) -> None:
    """Put the triggers back that `suspend_embeddings` took away."""

def create_model(name: str, *, base: str | None = None, source: str | None = None) -> None:
    """Register a model under the name that embedding columns refer to."""

def drop_model(name: str, *, base: str | None = None, source: str | None = None) -> None:
    """Forget a model that no embedding column uses. `base` and `source` say what it was, for the way back."""

def install_thanopg(*, service: ServiceAddress | None = None) -> None:
    """Install or upgrade schema thanopg; `service` is where the database finds the embedding service."""
