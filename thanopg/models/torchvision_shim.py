"""Lets open_clip import torchvision's pure-Python transforms where its binary half cannot load.

The CPU wheel of torch beside PyPI's torchvision fails on import with "operator torchvision::nms does not exist":
torchvision registers fake kernels for operators that only its binary half declares. Declaring their schemas is
enough; nobody here calls them. Call this before the first import of open_clip.
"""

from __future__ import annotations

import sys

import torch

OPERATORS = ("nms", "qnms")
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> None:
    """Imports torchvision as it is if that works, and with the missing operators declared if it does not."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        _forget_half_imported()
        for name in OPERATORS:
            if not hasattr(torch.ops.torchvision, name):
                torch.library.define(f"torchvision::{name}", SCHEMA)
        import torchvision  # noqa: F401


def _forget_half_imported() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
