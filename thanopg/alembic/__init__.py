"""Embeddings in Alembic's migrations: `import thanopg.alembic` in env.py is all there is to do.

It registers the operations (`op.add_image_embedding` and its kin) and the comparison that autogenerate makes, at
import, as Alembic's extensions do. Those who check types write `from thanopg.alembic import op` in place of Alembic's.
"""

from thanopg.alembic import compare as compare
from thanopg.alembic import op as op
from thanopg.alembic import perform as perform
from thanopg.alembic import render as render
from thanopg.alembic.embedding_ops import AddEmbeddingOp, DropEmbeddingOp, SetEmbeddingIndexOp
from thanopg.alembic.install_op import InstallThanopgOp
from thanopg.alembic.model_ops import CreateModelOp, DropModelOp
from thanopg.alembic.trigger_ops import ResumeEmbeddingsOp, SuspendEmbeddingsOp

__all__ = [
    "AddEmbeddingOp",
    "CreateModelOp",
    "DropEmbeddingOp",
    "DropModelOp",
    "InstallThanopgOp",
    "ResumeEmbeddingsOp",
    "SetEmbeddingIndexOp",
    "SuspendEmbeddingsOp",
    "op",
]
