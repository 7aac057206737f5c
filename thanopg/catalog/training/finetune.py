"""Fine-tuning: any open_clip model, pictures with texts → a better model in open_clip's local-dir format.

CLIP's loss, which knows that one text may be true of several pictures; a part of the pairs is kept back and measures
every epoch; the best weights are kept, those of the start among them, and it ends early when nothing gets better.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from thanopg.catalog.training.data import PairDataset, Pixels
from thanopg.catalog.training.loss import contrast
from thanopg.catalog.training.train import augment
from thanopg.errors import InvalidArgument, NotSupported
from thanopg.models.checkpoint import Checkpoint, open_checkpoint
from thanopg.models.device import choose_device
from thanopg.models.embedder import Preprocessing
from thanopg.models.open_clip import _pixel_configuration as pixel_configuration
from thanopg.models.text_tower import text_encoder
from thanopg.models.tokens import Tokenizer

LEAST_PAIRS = 10
MOST_VALIDATED = 1000
VALIDATED_SHARE = 0.1
LARGEST_SCALE = math.log(100)
SMALL = 20_000_000
"""parameters; below it a model bears larger steps"""
WARM_UP_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How long and how fast."""

    epochs: int = 5
    batch: int = 64
    rate: float | None = None
    """None: 3e-4 for a small model, 1e-5 for a large one"""
    patience: int = 2
    """epochs without a better recall before it stops"""
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far it is, for whoever watches."""

    epoch: int
    epochs: int
    pictures: int
    """seen so far, over all epochs"""
    total: int
    loss: float
    recall: float
    """the last one that was measured"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out. Recall: the share of kept-back texts whose picture comes first."""

    before: float
    after: float
    epochs: int
    trained: int
    validated: int


class FineTuning:
    """Opened on a source; `preprocessing` says how pictures must come."""

    def __init__(self, source: str, *, device: str | None = None) -> None:
        """Raises what loading raises, NotSupported for a model that has no weights."""
        if source.startswith("fake:"):
            raise NotSupported(
                "a model without weights can't be trained", hint="start from a base: catalog, clip, siglip2"
            )
        self.device = choose_device(device)
        self.checkpoint: Checkpoint = open_checkpoint(source)
        self.source = source
        self.model: Any = self.checkpoint.model
        self.model.to(self.device).requires_grad_(True)
        self.tokenizer = Tokenizer(self.checkpoint.tokenizer)
        visual: Any = self.model.visual
        self.pixels = pixel_configuration(visual.preprocess_cfg)
        self._encode_text = text_encoder(self.model, self._ids)
        known = Preprocessing.__dataclass_fields__.keys() & self.pixels.keys()
        self.preprocessing = Preprocessing(**{name: self.pixels[name] for name in known})

    def run(
        self, pixels: Pixels, texts: Sequence[str], destination: Path, plan: Tuning, tell: Callable[[Step], None]
    ) -> Outcome:
        """uint8 (n, height, width, 3) with n texts. The best model lies in `destination`, which must not exist yet."""
        if len(pixels) < LEAST_PAIRS:
            raise InvalidArgument(f"expected at least {LEAST_PAIRS} pictures with texts, not {len(pixels)}")
        torch.manual_seed(plan.seed)
        training, validation = divide(pixels, texts, plan.seed)
        recall = Recall(validation, self)
        before = best = recall()
        weights = self._weights()
        optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=self._rate(plan), betas=(0.9, 0.98), weight_decay=0.01
        )
        batch = min(plan.batch, len(training.pixels))
        steps = max(1, len(training.pixels) // batch)
        stale = epoch = 0
        while epoch < plan.epochs and stale < plan.patience:
            for number, loss in enumerate(self._epoch(training, optimizer, plan, epoch, batch, steps), 1):
                seen, total = (epoch * steps + number) * batch, plan.epochs * steps * batch
                tell(Step(epoch=epoch + 1, epochs=plan.epochs, pictures=seen, total=total, loss=loss, recall=best))
            epoch += 1
            found = recall()
            stale = 0 if found > best else stale + 1
            if found > best:
                best, weights = found, self._weights()
        self.model.load_state_dict(weights)
        self._save(destination)
        return Outcome(
            before=before, after=best, epochs=epoch, trained=len(training.pixels), validated=len(validation.pixels)
        )

    def images(self, pixels: Pixels) -> torch.Tensor:
        """Scaled as the model wants it, encoded, of length 1."""
        images = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device).permute(0, 3, 1, 2).float().div_(255)
        mean, deviation = (
            torch.tensor(self.pixels[name], device=self.device).view(3, 1, 1) for name in ("mean", "std")
        )
        with self._autocast():
            vectors = self.model.encode_image(images.sub_(mean).div_(deviation))
        return functional.normalize(vectors.float(), dim=-1)

    def texts(self, texts: Sequence[str]) -> torch.Tensor:
        with self._autocast():
            vectors = self._encode_text(self._ids(texts))
        return functional.normalize(vectors.float(), dim=-1)

    def _ids(self, texts: Sequence[str]) -> torch.Tensor:
        return self.tokenizer(texts).ids.to(self.device)

    def _epoch(
        self,
        training: PairDataset,
        optimizer: torch.optim.Optimizer,
        plan: Tuning,
        epoch: int,
        batch: int,
        steps: int,
    ) -> Any:
        self.model.train()
        random = Random(f"{plan.seed}-{epoch}")  # noqa: S311  (nothing secret)
        order = list(range(len(training.pixels)))
        random.shuffle(order)
        losses: list[float] = []
        for number in range(steps):
            share = (epoch * steps + number + 1) / (plan.epochs * steps)
            climb = min(1.0, share / WARM_UP_SHARE)
            for group in optimizer.param_groups:
                group["lr"] = self._rate(plan) * climb * (0.5 + 0.5 * math.cos(math.pi * min(1.0, share)))
            indices = order[number * batch : (number + 1) * batch]
            lesson = training.lesson(indices, random)
            pixels = augment(training.pixels[indices], np.random.default_rng(random.getrandbits(64)))
            loss = contrast(
                self.images(pixels),
                self.texts(lesson.texts),
                torch.from_numpy(lesson.truth).to(self.device),
                self.model.logit_scale.exp(),
            )
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
            with torch.no_grad():
                self.model.logit_scale.clamp_(0, LARGEST_SCALE)
            losses.append(loss.item())
            yield float(np.mean(losses[-20:]))

    def _rate(self, plan: Tuning) -> float:
        if plan.rate is not None:
            return plan.rate
        return 3e-4 if sum(parameter.numel() for parameter in self.model.parameters()) < SMALL else 1e-5

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}

    def _save(self, destination: Path) -> None:
        destination.mkdir(parents=True)
        configuration: Mapping[str, Any] = {
            "model_cfg": dict(self.checkpoint.configuration),
            "preprocess_cfg": {
                "mean": list(self.pixels["mean"]),
                "std": list(self.pixels["std"]),
                "interpolation": self.pixels["interpolation"],
                "resize_mode": self.pixels["resize_mode"],
                "fill_color": self.pixels["fill_color"],
            },
        }
        text = json.dumps(configuration, indent=2, default=str)
        (destination / "open_clip_config.json").write_text(text + "\n", encoding="utf-8")
        self._save_tokenizer(destination)
        state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in self.model.state_dict().items()}
        save_file(state, destination / "open_clip_model.safetensors", metadata={"format": "pt"})
        (destination / "open_clip_model.safetensors").chmod(0o644)

    def _save_tokenizer(self, destination: Path) -> None:
        """The start's own files; a tokenizer that open_clip carries itself needs none."""
        directory = self.checkpoint.directory
        if directory is not None:
            for file in directory.iterdir():
                if file.is_file() and ("token" in file.name or file.suffix in (".model", ".txt")):
                    shutil.copyfile(file, destination / file.name)
            return
        inner: Any = getattr(self.checkpoint.tokenizer, "tokenizer", None)
        if hasattr(inner, "save_pretrained"):
            inner.save_pretrained(destination)


class Recall:
    """Measures on what was kept back."""

    def __init__(self, validation: PairDataset, tuning: FineTuning) -> None:
        self._pixels = validation.pixels
        self._texts = [several[0] for several in validation.texts]
        self._tuning = tuning

    def __call__(self) -> float:
        self._tuning.model.eval()
        with torch.inference_mode():
            pictures = torch.cat(
                [self._tuning.images(self._pixels[i : i + 64]) for i in range(0, len(self._pixels), 64)]
            )
            texts = torch.cat([self._tuning.texts(self._texts[i : i + 64]) for i in range(0, len(self._texts), 64)])
            nearest = (texts @ pictures.T).argmax(dim=1).tolist()
        return float(np.mean([self._texts[i] == text for text, i in zip(self._texts, nearest, strict=True)]))


def divide(pixels: Pixels, texts: Sequence[str], seed: int) -> tuple[PairDataset, PairDataset]:
    """Training and validation; the same every time."""
    order = list(range(len(pixels)))
    Random(seed).shuffle(order)  # noqa: S311  (nothing secret)
    count = max(2, min(MOST_VALIDATED, int(len(order) * VALIDATED_SHARE)))
    kept, rest = sorted(order[:count]), sorted(order[count:])
    return (
        PairDataset(pixels[rest], [[texts[i]] for i in rest]),
        PairDataset(pixels[kept], [[texts[i]] for i in kept]),
    )
