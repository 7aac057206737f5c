"""Texts to token ids and back by open_clip's tokenizers, knowing which lost their end, bounded in time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

CHARACTERS_PER_TOKEN = 64
"""text beyond this many characters per token of context is cut off before tokenizing: no tokenizer packs more into
one token, and byte-pair encoding is quadratic in the length of a word"""
CACHED_WORDS = 50_000


class Tokens(NamedTuple):
    ids: torch.Tensor
    """int64 (n, context length)"""
    truncated: tuple[bool, ...]


class Tokenizer:
    """One of open_clip's SimpleTokenizer, HFTokenizer or SigLipTokenizer behind one face."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.context_length = int(tokenizer.context_length)
        self._bound = CHARACTERS_PER_TOKEN * self.context_length
        self._class_token_last = getattr(tokenizer, "tokenizer_mode", "") == "clips"
        nothing = tokenizer([""])[0].tolist()
        self._padding = int(nothing[-1])
        self.start, self.end = int(nothing[0]), int(nothing[1])
        """what a text begins and ends with, where the tokenizer adds both"""

    def __call__(self, texts: Sequence[str]) -> Tokens:
        cut = [self._bounded(text) for text in texts]
        ids: torch.Tensor = self._tokenizer(cut)
        truncated = tuple(
            len(text) == self._bound or (self._may_be_cut(row) and self._length(text) > self.context_length)
            for text, row in zip(cut, ids, strict=True)
        )
        self._forget_words()
        return Tokens(ids, truncated)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids without special ones; no spaces around it or doubled."""
        inner = getattr(self._tokenizer, "tokenizer", None)
        plain = [identifier for identifier in ids if identifier not in (self.start, self.end)]
        text = self._tokenizer.decode(plain) if inner is None else inner.decode(plain, skip_special_tokens=True)
        return " ".join(text.replace("\ufffd", "").split())

    def _bounded(self, text: str) -> str:
        return text if len(text) < self._bound else " ".join(text.split())[: self._bound]

    def _may_be_cut(self, row: torch.Tensor) -> bool:
        """A row that ends in padding was not; measuring is for the others."""
        return self._class_token_last or int(row[-1]) != self._padding

    def _length(self, text: str) -> int:
        """Tokens of the whole text, start and end included."""
        inner = getattr(self._tokenizer, "tokenizer", None)
        if inner is None:
            return len(self._tokenizer.encode(text)) + 2
        if self._class_token_last:
            return len(inner(self._tokenizer.clean_fn(text), add_special_tokens=False).input_ids) + 3
        clean = getattr(self._tokenizer, "clean_fn", None)
        return len(inner(clean(text) if clean else text, truncation=False, padding=False).input_ids)

    def _forget_words(self) -> None:
        """SimpleTokenizer remembers every word it ever saw."""
        cache = getattr(self._tokenizer, "cache", None)
        if isinstance(cache, dict) and len(cache) > CACHED_WORDS:
            special = {self._tokenizer.decoder[identifier] for identifier in self._tokenizer.all_special_ids}
            for word in cache.keys() - special:
                del cache[word]
