"""Text encoders of sentence-transformers behind the `Embedder` contract: multilingual E5, BGE-M3, EmbeddingGemma."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch

from thanopg.errors import ModelUnavailable
from thanopg.models.embedder import (
    ModelInfo,
    Pixels,
    Preprocessing,
    TextEmbeddings,
    Vectors,
    check_embeds,
)
from thanopg.models.precision import choose_precision
from thanopg.models.stored import first_line
from thanopg.models.text_prompts import TextPrompts
from thanopg.models.tokens import CHARACTERS_PER_TOKEN

BATCH = 32
"""texts in one pass; they are sorted by length before, so that few tokens are padding"""
SAMPLE = ("a red dress", "밝은 빨간색 미니 원피스", "방수가 되는 겨울 부츠를 찾고 있어요. " * 8)
MISFIT_HINT = "the modules that modules.json names do not fit each other, or their weights"
Role = Literal["query", "passage"]


class SentenceEncoder:
    """Embeds queries and passages, each with its prompt, in inference mode, on one device."""

    preprocessing = Preprocessing(height=1, width=1)
    """of pictures, which it does not take"""

    def __init__(
        self,
        model: Any,
        prompts: TextPrompts,
        *,
        source: str,
        fingerprint: str,
        dimensions: int,
        context_length: int,
        precision: str = "auto",
    ) -> None:
        """`model` is a SentenceTransformer on its device. Raises InvalidArgument, ModelUnavailable."""
        self._model = model
        self._prompts = prompts
        self._limit = context_length
        self.info = ModelInfo(
            source=source,
            architecture=type(model.transformers_model or model).__name__,
            dimensions=dimensions,
            fingerprint=fingerprint,
            context_length=context_length,
            can_embed_images=False,
        )
        self._try()
        self._bfloat16 = choose_precision(
            precision,
            lambda bfloat16: bfloat16,
            device=model.device,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            trial=lambda bfloat16: torch.from_numpy(self._encode(SAMPLE, "query", bfloat16=bfloat16)),
        )

    @property
    def device(self) -> str:
        """cuda:N, mps or cpu"""
        return str(self._model.device)

    @property
    def precision(self) -> str:
        """fp32 or bf16: what was chosen"""
        return "bf16" if self._bfloat16 else "fp32"

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """n queries → float32 (n, dimensions), L2-normalised, and for each whether its end was cut off."""
        return self._embed(texts, "query")

    def embed_passages(self, texts: Sequence[str]) -> TextEmbeddings:
        """The same for texts that are searched."""
        return self._embed(texts, "passage")

    def embed_images(self, pixels: Pixels) -> Vectors:
        """Raises NotSupported."""
        check_embeds(self.info, "pictures")
        raise AssertionError

    def _embed(self, texts: Sequence[str], role: Role) -> TextEmbeddings:
        if not texts:
            return TextEmbeddings(np.empty((0, self.info.dimensions), dtype=np.float32), ())
        bound = CHARACTERS_PER_TOKEN * self._limit
        cut = [text[:bound] for text in texts]
        truncated = tuple(
            len(short) < len(text) or self._is_long(self._prompts[role == "passage"] + short)
            for short, text in zip(cut, texts, strict=True)
        )
        return TextEmbeddings(self._encode(cut, role, bfloat16=self._bfloat16), truncated)

    def _encode(self, texts: Sequence[str], role: Role, *, bfloat16: bool) -> Vectors:
        encode = self._model.encode_query if role == "query" else self._model.encode_document
        with torch.autocast(self._model.device.type, dtype=torch.bfloat16, enabled=bfloat16):
            vectors: Vectors = encode(
                list(texts),
                prompt=self._prompts.query if role == "query" else self._prompts.passage,
                batch_size=BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    def _try(self) -> None:
        """One text, so that what can't work is known now."""
        try:
            found = self._encode(["x"], "query", bfloat16=False)
        except Exception as error:  # modules that do not fit raise whatever they run into
            raise ModelUnavailable(
                f"the text encoder {self.info.source} can't embed: {first_line(error)}", hint=MISFIT_HINT
            ) from error
        if found.shape != (1, self.info.dimensions) or not np.isfinite(found).all():
            raise ModelUnavailable(
                f"expected {self.info.dimensions} finite dimensions of {self.info.source}, not {found.shape[-1]}",
                hint=MISFIT_HINT,
            )

    def _is_long(self, text: str) -> bool:
        """Its tokens, start and end included, are more than the context; few bytes can't be."""
        if 4 * len(text.encode()) + 4 <= self._limit:
            return False
        return len(self._model.tokenizer(text, truncation=False)["input_ids"]) > self._limit
