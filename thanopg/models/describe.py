"""`python -m thanopg.models.describe SOURCE` prints what is known of a model as JSON, after loading it."""

from __future__ import annotations

import json
import sys

from thanopg.errors import ThanopgError
from thanopg.models.embedder import ModelInfo
from thanopg.models.load import load_embedder


def describe(source: str, *, device: str | None = "cpu") -> ModelInfo:
    """Loads the model named by base or source. Raises what `load_embedder` raises."""
    return load_embedder(source, device=device, precision="fp32").info


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m thanopg.models.describe SOURCE", file=sys.stderr)
        return 2
    try:
        info = describe(arguments[0])
    except ThanopgError as error:
        print(f"{error.message}\n{error.hint}".strip(), file=sys.stderr)
        return 1
    print(json.dumps(info.as_json(), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
