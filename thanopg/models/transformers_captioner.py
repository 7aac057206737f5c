"""Captioners of transformers behind the `Captioner` contract: BLIP, Florence-2, Qwen-VL and others of their kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from thanopg.errors import InvalidArgument, ModelUnavailable
from thanopg.models.attributes import caption_of
from thanopg.models.caption_prompts import check_prompt, prompts_for
from thanopg.models.embedder import (
    Caption,
    ModelInfo,
    Pixels,
    Preprocessing,
    TextEmbeddings,
    Vectors,
    check_embeds,
    check_pixels,
    choose_language,
)
from thanopg.models.picture_size import picture_size
from thanopg.models.stored import first_line

LONGEST_CAPTION = 256
"""new tokens: a paragraph, or a JSON object of some attributes"""
SHORTEST_CAPTION = 8
"""new tokens that a prompt must leave room for"""
THOUGHT = "</think>"
"""what comes before it is not the answer"""
GREY = 128
KIND_HINT = "Florence-2, BLIP and Qwen-VL write captions; the bases florence2 and blip are two of them"


class TransformersCaptioner:
    """Writes captions with a model of transformers, in inference mode, on one device; makes no vectors."""

    def __init__(self, model: Any, processor: Any, *, source: str, fingerprint: str, model_type: str) -> None:
        """`model` is on its device and in evaluation mode. Raises ModelUnavailable when it can't write."""
        self._model = model
        self._processor = processor
        self._prompts = prompts_for(model_type, processor)
        self._size = picture_size(processor.image_processor)
        tokenizer = processor.tokenizer
        self._control = tuple(str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
        self._is_chat = len(self._prompts.languages) > 1
        text: Any = model.config.get_text_config()
        self._positions = int(getattr(text, "max_position_embeddings", None) or 0)
        self.info = ModelInfo(
            source=source,
            architecture=type(model).__name__,
            dimensions=0,
            fingerprint=fingerprint,
            context_length=0,
            can_caption=True,
            can_embed_texts=False,
            can_embed_images=False,
        )
        self._try()

    @property
    def preprocessing(self) -> Preprocessing:
        return self._size.preprocessing

    @property
    def languages(self) -> tuple[str, ...]:
        return self._prompts.languages

    @property
    def device(self) -> str:
        """cuda:N, mps or cpu"""
        return str(self._model.device)

    @property
    def precision(self) -> str:
        """fp32 or bf16"""
        return "bf16" if self._model.dtype == torch.bfloat16 else "fp32"

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """Raises NotSupported."""
        check_embeds(self.info, "texts")
        raise AssertionError

    embed_passages = embed_texts

    def embed_images(self, pixels: Pixels) -> Vectors:
        """Raises NotSupported."""
        check_embeds(self.info, "pictures")
        raise AssertionError

    def caption_images(
        self, pixels: Pixels, *, language: str, prompt: str | None = None, beams: int = 1
    ) -> list[Caption]:
        """uint8 (n, height, width, 3) → n captions. One beam is greedy. Raises InvalidArgument."""
        language = choose_language(self, language)
        if prompt is not None:
            check_prompt(prompt, self._control)
        text = self._prompts.text(prompt, language)
        check_pixels(pixels, self.preprocessing)
        if not len(pixels):
            return []
        return [caption_of(answer) for answer in self._answers(pixels, text, beams=beams, longest=LONGEST_CAPTION)]

    def _answers(self, pixels: Pixels, text: str | None, *, beams: int, longest: int) -> list[str]:
        inputs = self._inputs(pixels, text)
        asked = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
        with torch.inference_mode():
            rows = self._model.generate(
                **inputs,
                max_new_tokens=self._room(asked, longest),
                do_sample=False,
                num_beams=beams,
                early_stopping=False,
            )
        if self._is_chat:
            rows = rows[:, asked:]
        found: list[str] = self._processor.batch_decode(rows, skip_special_tokens=True)
        return [answer.rpartition(THOUGHT)[2] for answer in found]

    def _inputs(self, pixels: Pixels, text: str | None) -> Any:
        owned = pixels if pixels.flags.writeable else pixels.copy()
        pictures = list(torch.from_numpy(owned).to(self._model.device).permute(0, 3, 1, 2))
        images = [[picture] for picture in pictures] if self._is_chat else pictures
        texts = {} if text is None else {"text": [text] * len(pictures)}
        inputs = self._processor(images=images, **texts, return_tensors="pt", **self._size.options)
        return inputs.to(self._model.device, self._model.dtype)

    def _room(self, asked: int, longest: int) -> int:
        """How many new tokens there may be beside `asked` tokens of a prompt. Raises InvalidArgument."""
        if not self._positions:
            return longest
        most = self._positions - (SHORTEST_CAPTION if self._decodes_alone else 0)
        if asked > most:
            raise InvalidArgument(
                f"the prompt has {asked} tokens with the picture, the model takes {most}", hint="ask with fewer words"
            )
        return min(longest, self._positions - (asked if self._decodes_alone else 1))

    @property
    def _decodes_alone(self) -> bool:
        return not self._model.config.is_encoder_decoder

    def _try(self) -> None:
        """One token about a grey picture, so that what can't work is known now."""
        shape = (1, self.preprocessing.height, self.preprocessing.width, 3)
        try:
            text = self._prompts.text(None, self.languages[0])
            self._answers(np.full(shape, GREY, dtype=np.uint8), text, beams=1, longest=1)
        except Exception as error:  # a processor and a model that do not fit raise whatever they run into
            raise ModelUnavailable(
                f"the captioner {self.info.source} can't write: {first_line(error)}", hint=KIND_HINT
            ) from error
