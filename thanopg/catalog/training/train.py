"""The training loop: any `Dataset` in, a model in open_clip's local-dir format out; it can be killed and resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from thanopg.catalog.dice import dice
from thanopg.catalog.training.data import Dataset, Pixels
from thanopg.catalog.training.loss import contrast
from thanopg.catalog.training.model import image_vectors, make_model, save_model, scaled, text_vectors_by_length

Measure = Callable[[Any, Tokenizer], float]
Tell = Callable[[str], None]
LARGEST_SCALE = math.log(100)
SHIFT = 4
"""pixels by which a picture is moved at most"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how fast."""

    epochs: int = 20
    batch: int = 256
    rate: float = 1.5e-3
    decay: float = 0.05
    warm_up: int = 60
    """steps"""
    patience: int = 6
    """epochs without a better measure before it stops"""
    seed: int = 0
    minutes: float = math.inf
    """of training after which the rate has come down to nothing, if the epochs are not over before"""


class Training:
    """One run; `checkpoint` is written after every epoch and continued from when it is there."""

    def __init__(
        self,
        dataset: Dataset,
        tokenizer: Tokenizer,
        config: dict[str, Any],
        plan: Plan,
        *,
        device: torch.device,
        checkpoint: Path,
        tell: Tell,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.dataset, self.tokenizer, self.plan = dataset, tokenizer, plan
        self.device, self.checkpoint, self.tell = device, checkpoint, tell
        state = torch.load(checkpoint, map_location=device, weights_only=True) if checkpoint.exists() else None
        if state:
            self.tokenizer = Tokenizer.from_str(state["tokenizer"])
        text = {**config["text_cfg"], "vocab_size": self.tokenizer.get_vocab_size()}
        self.config = {**config, "text_cfg": text}
        self.model = make_model(self.config).to(device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(_groups(self.model, plan.decay), lr=plan.rate, betas=(0.9, 0.98))
        self.epoch, self.best, self.stale, self.spent = 0, -1.0, 0, 0.0
        if state:
            self._resume(state)

    def run(self, measure: Measure, destination: Path) -> float:
        """Trains to the end; the best model by `measure` lies in `destination`. Returns its measure."""
        while self.epoch < self.plan.epochs and self.stale < self.plan.patience and self._progress() < 1:
            began = time.monotonic()
            loss, rate = self._one_epoch()
            self.epoch += 1
            self.spent += time.monotonic() - began
            score = measure(self.model.eval(), self.tokenizer)
            better = score > self.best
            self.best, self.stale = max(score, self.best), 0 if better else self.stale + 1
            self.tell(
                f"epoch {self.epoch}/{self.plan.epochs}  loss {loss:.3f}  validation {score:.3f}"
                f"{' *' if better else ''}  {rate:.0f} pictures/s  {self.spent / 60:.1f} min"
            )
            if better:
                save_model(self.model, self.config, self.tokenizer, destination)
            self._keep()
        return self.best

    def _one_epoch(self) -> tuple[float, float]:
        self.model.train()
        random = dice("epoch", self.plan.seed, self.epoch)
        order = list(range(len(self.dataset.pixels)))
        random.shuffle(order)
        losses: list[float] = []
        began = time.monotonic()
        for number, indices in enumerate(_batches(order, self.plan.batch)):
            share = number * self.plan.batch / len(order)
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate(share, time.monotonic() - began)
            lesson = self.dataset.lesson(indices, random)
            pixels = augment(self.dataset.pixels[indices], np.random.default_rng(random.getrandbits(64)))
            losses.append(self._step(pixels, lesson.texts, lesson.truth))
            if number % 20 == 19:
                done = (number + 1) * self.plan.batch
                speed = done / (time.monotonic() - began)
                self.tell(f"  {done}/{len(order)}  loss {np.mean(losses[-20:]):.3f}  {speed:.0f} pictures/s")
        return float(np.mean(losses)), len(order) / (time.monotonic() - began)

    def _step(self, pixels: Pixels, texts: Sequence[str], truth: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type != "mps"):
            images = image_vectors(self.model, scaled(pixels, self.device))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            words = text_vectors_by_length(self.model, rows, self.device)
        loss = contrast(images, words, torch.from_numpy(truth).to(self.device), self.model.logit_scale.exp())
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, LARGEST_SCALE)
        return loss.item()

    def _progress(self, share: float = 0.0, seconds: float = 0.0) -> float:
        """0 at the start, 1 at the end: by epochs or by the clock, whichever is nearer its end."""
        by_epoch = (self.epoch + share) / self.plan.epochs
        return max(by_epoch, (self.spent + seconds) / 60 / self.plan.minutes)

    def _rate(self, share: float, seconds: float) -> float:
        """A short climb, then a cosine to nothing."""
        steps = (self.epoch + share) * len(self.dataset.pixels) / self.plan.batch
        climb = min(1.0, (steps + 1) / self.plan.warm_up)
        return (
            self.plan.rate * climb * (0.5 + 0.5 * math.cos(math.pi * min(1.0, self._progress(share, seconds)))) + 1e-6
        )

    def _keep(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "tokenizer": self.tokenizer.to_str(),
            "counts": (self.epoch, self.best, self.stale, self.spent),
        }
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        half = self.checkpoint.with_suffix(".half")
        torch.save(state, half)
        half.replace(self.checkpoint)

    def _resume(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.best, self.stale, self.spent = state["counts"]
        self.tell(f"going on after epoch {self.epoch}")


def augment(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Moved a little, perhaps mirrored, a little brighter or darker, with a little noise; same shape."""
    count, height, width, _ = pixels.shape
    padded = np.pad(pixels, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    top, left = random.integers(0, 2 * SHIFT + 1, (2, count))
    rows, columns = np.arange(height), np.arange(width)
    across = np.where(random.random((count, 1)) < 0.5, columns, columns[::-1]) + left[:, None]
    moved = padded[np.arange(count)[:, None, None], (top[:, None] + rows)[:, :, None], across[:, None, :]]
    gain = random.normal(1.0, 0.025, (count, 1, 1, 3)).astype(np.float32)
    noise = random.normal(0, 1.0, (count, 1, 1, 1)).astype(np.float32)
    grain = random.standard_normal((height, width, 3), dtype=np.float32)
    changed = np.clip(moved * gain + np.abs(noise) * 3.0 * grain, 0, 255)
    return np.asarray(changed, dtype=np.uint8)


def _batches(order: Sequence[int], size: int) -> Iterator[list[int]]:
    """Full ones; an incomplete one at the end only when it is the only one."""
    full = len(order) // size * size
    for start in range(0, full, size):
        yield list(order[start : start + size])
    if full == 0:
        yield list(order)


def _groups(model: Any, decay: float) -> list[dict[str, Any]]:
    """Weights shrink; gains, biases and positions don't."""
    shrunk = [p for p in model.parameters() if p.ndim >= 2]
    kept = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": shrunk, "weight_decay": decay}, {"params": kept, "weight_decay": 0.0}]
