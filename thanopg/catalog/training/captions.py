"""The captioner's training loop: what a frozen tower sees, a text in each language; it can be killed and resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from thanopg.catalog.dice import dice
from thanopg.catalog.training.features import Features, as_maps
from thanopg.errors import InvalidArgument
from thanopg.models.attribute_words import Words
from thanopg.models.caption_decoder import CaptionDecoder, CaptionerConfig, FeatureMap
from thanopg.models.captioner import has_captioner, save_captioner

Measure = Callable[[CaptionDecoder], float]
Tell = Callable[[str], None]
Rows = list[list[int]]
"""for each picture the captioner's own numbers, the end token included"""
_IGNORED = -100
_ALIKE = 16
"""batches whose texts are sorted by length together"""


@dataclass(frozen=True, kw_only=True)
class CaptionPlan:
    """How long and how fast."""

    epochs: int = 6
    batch: int = 64
    """pictures, each captioned in one language at a time"""
    rate: float = 1.2e-3
    decay: float = 0.05
    dropout: float = 0.1
    warm_up: int = 60
    """steps"""
    patience: int = 5
    """epochs without a better measure before it stops"""
    seed: int = 0
    minutes: float = math.inf
    """of training after which the rate has come down to nothing, if the epochs are not over before"""


class Vocabulary:
    """The part of a tokenizer's tokens that captions need, the end token first."""

    def __init__(self, tokenizer: Tokenizer, end: str, texts: Sequence[str]) -> None:
        """`end` is the end token as the tokenizer spells it. Raises InvalidArgument when it has none such."""
        number = tokenizer.token_to_id(end)
        if number is None:
            raise InvalidArgument(f"expected a tokenizer with the token {end}")
        self._tokenizer = tokenizer
        used = {token for row in self._ids(sorted(set(texts))) for token in row}
        self.tokens: tuple[int, ...] = (number, *sorted(used))
        self._number = {token: number for number, token in enumerate(self.tokens)}

    def rows(self, texts: Sequence[str]) -> Rows:
        """The captioner's numbers of these texts, which it was made from."""
        return [[*(self._number[token] for token in row), 0] for row in self._ids(texts)]

    def _ids(self, texts: Sequence[str]) -> Rows:
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def make_config(
    fingerprint: str,
    vocabulary: Vocabulary,
    texts: Mapping[str, Sequence[str]],
    maps: Sequence[FeatureMap],
    attributes: Words | None = None,
) -> CaptionerConfig:
    """For these languages and texts, with a little room for longer ones, and with what their words mean."""
    longest = max(len(row) for several in texts.values() for row in vocabulary.rows(several))
    return CaptionerConfig(
        fingerprint=fingerprint,
        languages=tuple(texts),
        tokens=vocabulary.tokens,
        maps=tuple(maps),
        context_length=longest + 4,
        attributes=attributes or {},
    )


class CaptionTraining:
    """One run; `checkpoint` is written after every epoch and continued from when it is there and fits."""

    def __init__(
        self,
        features: Sequence[Features],
        texts: Mapping[str, Rows],
        config: CaptionerConfig,
        plan: CaptionPlan,
        *,
        device: torch.device,
        checkpoint: Path,
        tell: Tell,
    ) -> None:
        """`features`: several variants of the same pictures, one of which is shown at a time."""
        torch.manual_seed(plan.seed)
        self.features, self.texts, self.plan = features, texts, plan
        self.device, self.checkpoint, self.tell = device, checkpoint, tell
        self.decoder = CaptionDecoder(config, dropout=plan.dropout).to(device)
        self.optimizer = torch.optim.AdamW(_groups(self.decoder, plan.decay), lr=plan.rate, betas=(0.9, 0.98))
        self.epoch, self.best, self.stale, self.spent = 0, -1.0, 0, 0.0
        self._resume()

    def run(self, measure: Measure, destination: Path) -> float:
        """Trains to the end; the best captioner by `measure` lies in `destination`. Returns its measure."""
        while self.epoch < self.plan.epochs and self.stale < self.plan.patience and self._progress() < 1:
            began = time.monotonic()
            loss = self._one_epoch()
            self.epoch += 1
            self.spent += time.monotonic() - began
            score = measure(self.decoder.eval())
            better = score > self.best
            self.best, self.stale = max(score, self.best), 0 if better else self.stale + 1
            self.tell(
                f"epoch {self.epoch}/{self.plan.epochs}  loss {loss:.3f}  validation {score:.3f}"
                f"{' *' if better else ''}  {self.spent / 60:.1f} min"
            )
            if better:
                save_captioner(self.decoder, destination)
            self._keep()
        if not has_captioner(destination):  # resumed at its end, for a directory that has none yet
            save_captioner(self.decoder, destination)
        return self.best

    def _one_epoch(self) -> float:
        self.decoder.train()
        random = dice("captions", self.plan.seed, self.epoch)
        batches = self._batches(random)
        losses: list[float] = []
        began = time.monotonic()
        for number, batch in enumerate(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate(number / len(batches), time.monotonic() - began)
            losses.append(self._step(batch, random.choice(self.features)))
            if number % 50 == 49:
                self.tell(f"  {number + 1}/{len(batches)}  loss {np.mean(losses[-50:]):.3f}")
        return float(np.mean(losses))

    def _batches(self, random: Random) -> list[list[tuple[str, int]]]:
        """Every picture once, in a language by chance; texts of one length together, so that few are padded."""
        size, count = self.plan.batch, len(self.features[0])
        languages = self.decoder.config.languages
        order = [(random.choice(languages), index) for index in random.sample(range(count), count)]
        batches = []
        for start in range(0, count, size * _ALIKE):
            some = sorted(order[start : start + size * _ALIKE], key=lambda each: len(self.texts[each[0]][each[1]]))
            batches += [some[i : i + size] for i in range(0, len(some), size)]
        random.shuffle(batches)
        return batches

    def _step(self, batch: Sequence[tuple[str, int]], features: Features) -> float:
        rows = features[[index for _, index in batch]]
        seen = self.decoder.look(as_maps(rows, self.decoder.config.maps, self.device))
        ids, targets = self._texts(batch)
        logits = self.decoder(seen, ids)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=_IGNORED)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.decoder.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    def _texts(self, wanted: Sequence[tuple[str, int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Language and picture → what goes in and what should come out: int64 (n, length of the longest)."""
        chosen = [(self.decoder.start(language), self.texts[language][index]) for language, index in wanted]
        length = max(len(row) for _, row in chosen)
        ids = torch.zeros((len(chosen), length), dtype=torch.long)
        targets = torch.full((len(chosen), length), _IGNORED)
        for number, (start, row) in enumerate(chosen):
            ids[number, : len(row)] = torch.tensor([start, *row[:-1]])
            targets[number, : len(row)] = torch.tensor(row)
        return ids.to(self.device), targets.to(self.device)

    def _progress(self, share: float = 0.0, seconds: float = 0.0) -> float:
        """0 at the start, 1 at the end: by epochs or by the clock, whichever is nearer its end."""
        by_epoch = (self.epoch + share) / self.plan.epochs
        return max(by_epoch, (self.spent + seconds) / 60 / self.plan.minutes)

    def _rate(self, share: float, seconds: float) -> float:
        """A short climb, then a cosine to nothing."""
        steps = (self.epoch + share) * len(self.features[0]) / self.plan.batch
        climb = min(1.0, (steps + 1) / self.plan.warm_up)
        fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, self._progress(share, seconds)))
        return self.plan.rate * climb * fall + 1e-6

    def _keep(self) -> None:
        state = {
            "config": repr(self.decoder.config),
            "decoder": self.decoder.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "counts": (self.epoch, self.best, self.stale, self.spent),
        }
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        half = self.checkpoint.with_suffix(".half")
        torch.save(state, half)
        half.replace(self.checkpoint)

    def _resume(self) -> None:
        """A checkpoint for another model or shape is passed over: it is of an earlier task."""
        if not self.checkpoint.exists():
            return
        state: dict[str, Any] = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        if state["config"] != repr(self.decoder.config):
            return
        self.decoder.load_state_dict(state["decoder"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.best, self.stale, self.spent = state["counts"]
        self.tell(f"going on after epoch {self.epoch}")


def _groups(decoder: CaptionDecoder, decay: float) -> list[dict[str, Any]]:
    """Weights shrink; gains, biases and positions don't."""
    kept = [p for name, p in decoder.named_parameters() if p.ndim < 2 or name in ("places", "positions")]
    shrunk = [p for name, p in decoder.named_parameters() if p.ndim >= 2 and name not in ("places", "positions")]
    return [{"params": shrunk, "weight_decay": decay}, {"params": kept, "weight_decay": 0.0}]
