"""What a peer's script does: loads its model, then answers a line of standard input with a line of its own.

    argument    directory of the model
    it says     {"ready": true}
    it is told  {"pictures": DIRECTORY, "batch": 32, "vectors": FILE}
    it says     {"seconds": 1.5} when FILE has the vectors, float32 (n, dimensions) in the order of the files' names;
                or {"error": "one line"}

Seconds are from the first file to vectors in the peer's memory or store; loading the model and FILE are not in them.
Runs in the peer's environment, so it needs numpy and what else is Python's own.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Embed = Callable[[Path, int], NDArray[np.float32]]
"""directory of pictures and batch size → vectors"""


def serve(load: Callable[[Path], Embed]) -> None:
    """Until standard input ends. What the peer itself prints goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)

    def say(answer: dict[str, Any]) -> None:
        os.write(answers, json.dumps(answer).encode() + b"\n")

    embed = load(Path(sys.argv[1]))
    say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            begin = time.perf_counter()
            vectors = embed(Path(asked["pictures"]), asked["batch"])
            seconds = time.perf_counter() - begin
            np.save(asked["vectors"], np.asarray(vectors, dtype=np.float32))
        except Exception as error:  # whatever another tool raises is its answer
            traceback.print_exc()
            say({"error": f"{type(error).__name__}: {error}".partition("\n")[0]})
        else:
            say({"seconds": seconds})


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())
