"""A vector that was made elsewhere stays if the model would make nearly the same one."""

from __future__ import annotations

import numpy as np

from thanopg.errors import ImageError
from thanopg.worker.claim import Made
from thanopg.worker.packed import unpacked

LEAST_COSINE = 0.99
"""half precision, another resize or another device change less"""


def compared(adopted: str, made: Made) -> Made | ImageError:
    """The adopted vector itself, in pgvector's text form, or a fault that says how unlike they are."""
    there, ours = unpacked(adopted), unpacked(made.value)
    lengths = float(np.linalg.norm(there) * np.linalg.norm(ours))
    cosine = float(there @ ours) / lengths if lengths else 0.0
    if cosine >= LEAST_COSINE:
        return Made(adopted)
    return ImageError(
        "adoption_mismatch",
        f"the vector that was there has cosine {cosine:.3f} to the model's own, expected at least {LEAST_COSINE}; "
        "retry(error_type => 'adoption_mismatch') embeds such rows anew, refresh(table, column) all rows",
    )
