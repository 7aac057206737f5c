"""Every word that ThanoSQL knows: keywords, the options of each statement, and what is not supported."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Literal

Takes = Literal["truth", "count", "number", "name", "text", "choice", "value"]

MEDIA = ("IMAGE", "AUDIO", "VIDEO", "TEXT", "KEYWORD")
SECOND_WORDS: Mapping[str, tuple[str, ...]] = {
    "SEARCH": MEDIA,
    "CONVERT": ("USING",),
    "LIST": ("MODEL", "TABLE", "THANOSQL"),
    "PRINT": ("IMAGE", "AUDIO", "VIDEO"),
    "PREDICT": ("USING",),
    "EVALUATE": ("USING",),
    "TRANSFORM": ("USING",),
    "GENERATE": ("USING",),
}
"""statements that may be found inside a pair of parentheses, and the word after theirs"""
STATEMENTS = (
    "COPY",
    "CONVERT",
    "SEARCH",
    "PRINT",
    "LIST",
    "GET",
    "BUILD",
    "FIT",
    "DELETE",
    "PREDICT",
    "EVALUATE",
    "TRANSFORM",
    "UPLOAD",
    "FUNCTION",
    "GENERATE",
)
KEYWORDS = (
    *STATEMENTS,
    *MEDIA,
    "MODEL",
    "TABLE",
    "THANOSQL",
    "DATASET",
    "USING",
    "OPTIONS",
    "AS",
    "FROM",
)
UNSUPPORTED: Mapping[str, str] = {
    "PREDICT": "classify in SQL: WHERE and CASE over a similarity column of SEARCH IMAGE",
    "EVALUATE": "BUILD MODEL reports the recall of what it makes",
    "TRANSFORM": "supported are COPY, CONVERT, SEARCH IMAGE, PRINT IMAGE, LIST, GET, BUILD, FIT and DELETE MODEL",
    "UPLOAD": "put an open_clip model into a directory, then: SELECT create_model('name', source => 'local-dir:/path')",
    "FUNCTION": "call SQL functions of the database in a SELECT",
    "GENERATE": "words for images: CONVERT USING model OPTIONS(task='caption')",
}
"""statements for other tasks, and what there is instead"""
IMAGES_ONLY = "thanopg works on images: IMAGE"

OPTIONS: Mapping[str, Mapping[str, Takes]] = {
    "COPY": {"overwrite": "truth", "if_exists": "choice", "chunksize": "count"},
    "CONVERT": {
        "image_col": "name",
        "text_col": "name",
        "table_name": "name",
        "batch_size": "count",
        "result_col": "name",
        "column_name": "name",
        "convert_type": "choice",
        "task": "choice",
        "language": "text",
        "prompt": "text",
        "attributes_col": "name",
    },
    "SEARCH": {
        "search_by": "choice",
        "search_input": "value",
        "emb_col": "name",
        "result_col": "name",
        "column_name": "name",
        "top_k": "count",
        "table_name": "name",
    },
    "PRINT": {"image_col": "name", "image_column": "name", "base_dir": "text"},
    "GET": {"model_name": "name", "overwrite": "truth"},
    "BUILD": {
        "image_col": "name",
        "text_col": "name",
        "max_epochs": "count",
        "epochs": "count",
        "batch_size": "count",
        "learning_rate": "number",
        "overwrite": "truth",
        "pretrained": "truth",
    },
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "if_exists": ("fail", "replace", "append"),
    "convert_type": ("image", "text"),
    "task": ("embedding", "caption"),
    "search_by": ("text", "image", "audio", "video"),
}


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word that is most like `word`, whatever the case."""
    by_folded = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower(), by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], *, what: str = "known") -> str:
    """A hint: the nearest of `known`, and all of them."""
    listed = tuple(known)
    near = nearest(word, listed)
    every = f"{what}: {', '.join(listed)}" if listed else ""
    return f"did you mean {near}? {every}".strip() if near else every
