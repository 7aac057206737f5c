"""The small captioner's network: a causal transformer that looks at an image tower's feature maps.

Reads a few of the frozen tower's maps, one token for every place, and writes over a part of the tokenizer's
vocabulary. What it is shaped like is a plain value, written beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from thanopg.models.attribute_words import Words, read_words


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """One of the tower's intermediate maps, by its index in open_clip's `forward_intermediates`."""

    index: int
    channels: int
    places: int
    """height × width"""


@dataclass(frozen=True, kw_only=True)
class CaptionerConfig:
    """Shape of a captioner and what it belongs to."""

    fingerprint: str
    """of the model whose image tower it was trained on"""
    languages: tuple[str, ...]
    tokens: tuple[int, ...]
    """the tokenizer's ids that it writes with, the end token first; its own numbers are positions in here"""
    maps: tuple[FeatureMap, ...]
    context_length: int
    """tokens of the longest caption, start and end included"""
    width: int = 128
    heads: int = 4
    layers: int = 2
    feed_forward: int = 384
    attributes: Words = field(default_factory=dict)
    """what its words mean: with some, captions come with the attributes that they name"""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CaptionerConfig:
        """Raises TypeError and ValueError for what is none."""
        plain = dict(value)
        config = cls(
            languages=tuple(map(str, plain.pop("languages", ()))),
            tokens=tuple(map(int, plain.pop("tokens", ()))),
            maps=tuple(FeatureMap(**each) for each in plain.pop("maps", ())),
            attributes=read_words(plain.pop("attributes", {})),
            **plain,
        )
        if not (config.languages and len(config.tokens) > 1 and config.maps and config.context_length > 1):
            raise ValueError("no languages, tokens or maps")
        return config


class CaptionDecoder(nn.Module):
    """Feature maps and the tokens so far in, logits of the next token out."""

    def __init__(self, config: CaptionerConfig, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        width, vocabulary = config.width, len(config.tokens)
        self.map_norm = nn.ModuleList(nn.LayerNorm(each.channels) for each in config.maps)
        self.map_projection = nn.ModuleList(nn.Linear(each.channels, width) for each in config.maps)
        self.places = nn.Parameter(torch.randn(sum(each.places for each in config.maps), width) * 0.02)
        self.embedding = nn.Embedding(vocabulary + len(config.languages), width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.positions = nn.Parameter(torch.randn(config.context_length, width) * 0.02)
        self.layers = nn.ModuleList(_Layer(config, dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.drop = nn.Dropout(dropout)

    def start(self, language: str) -> int:
        """The number of the token that a caption in this language begins with."""
        return len(self.config.tokens) + self.config.languages.index(language)

    def look(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Each (n, places, channels) → (n, all places, width): what the caption is written from."""
        parts = [
            project(norm(each)) for each, norm, project in zip(maps, self.map_norm, self.map_projection, strict=True)
        ]
        return cast(torch.Tensor, self.drop(torch.cat(parts, dim=1) + self.places))

    def forward(self, seen: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """What `look` gave and int64 (n, length) → logits (n, length, vocabulary)."""
        x = self.drop(self.embedding(ids) + self.positions[: ids.shape[1]])
        for layer in self.layers:
            x = layer(x, seen)
        return functional.linear(self.norm(x), self.embedding.weight[: len(self.bias)], self.bias)


class _Layer(nn.Module):
    def __init__(self, config: CaptionerConfig, dropout: float) -> None:
        super().__init__()
        width = config.width
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.own = _Attention(width, config.heads)
        self.picture = _Attention(width, config.heads)
        self.inner = nn.Linear(width, config.feed_forward)
        self.outer = nn.Linear(config.feed_forward, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        normal = self.norms[0](x)
        x = x + self.drop(self.own(normal, normal, causal=True))
        x = x + self.drop(self.picture(self.norms[1](x), seen, causal=False))
        return cast(torch.Tensor, x + self.drop(self.outer(functional.gelu(self.inner(self.norms[2](x))))))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, other: torch.Tensor, *, causal: bool) -> torch.Tensor:
        query = self._split(self.query(x))
        key, value = (self._split(part) for part in self.key_value(other).chunk(2, dim=-1))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return cast(torch.Tensor, self.out(mixed.transpose(1, 2).flatten(2)))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
