"""What a captioner of transformers is asked, by its kind. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

from thanopg.errors import InvalidArgument

LONGEST_PROMPT = 4_000
"""characters"""
TASKS = ("<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>", "<OCR>")
"""Florence-2's that are answered with a text and nothing else; the others give places in the picture"""
TASK = re.compile(r"<[A-Z_]{2,}>")
QUESTIONS = {
    "en": "Describe this picture in one sentence: what it shows, of which kind, in which colours and pattern.",
    "ko": "이 사진에 무엇이 있는지, 종류와 색과 무늬까지 한 문장으로 설명해 주세요.",
}
ANSWER_IN = {"en": "Answer in English.", "ko": "한국어로 답하세요."}


class Prompts(Protocol):
    @property
    def languages(self) -> tuple[str, ...]:
        """of the answers, its own first"""

    def text(self, prompt: str | None, language: str) -> str | None:
        """What goes to the processor beside a picture, if anything does. Raises InvalidArgument."""


class Beginning:
    """BLIP and its like: the prompt is how the caption begins."""

    languages = ("en",)

    def text(self, prompt: str | None, language: str) -> str | None:
        return prompt


class Task:
    """Florence-2: one of its task tokens, or a question in words."""

    languages = ("en",)

    def text(self, prompt: str | None, language: str) -> str | None:
        if prompt is None:
            return TASKS[0]
        prompt = prompt.strip()
        if prompt not in TASKS and (found := TASK.search(prompt)):
            raise InvalidArgument(
                f"the task {found[0]} of Florence-2 is not one that writes a caption",
                hint=f"expected {', '.join(TASKS)}, alone, or words",
            )
        return prompt


class Chat:
    """Vision-language models: a question in words, in the form that the model's own template gives it."""

    languages = ("en", "ko")

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def text(self, prompt: str | None, language: str) -> str | None:
        question = f"{QUESTIONS[language] if prompt is None else prompt}\n{ANSWER_IN[language]}"
        message = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
        text: str = self._processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
        return text


def prompts_for(model_type: str, processor: Any) -> Prompts:
    """`model_type` is the configuration's."""
    if model_type == "florence2":
        return Task()
    return Chat(processor) if getattr(processor, "chat_template", None) else Beginning()


def check_prompt(prompt: str, control: Iterable[str]) -> None:
    """`control`: the tokenizer's tokens that are no text. Raises InvalidArgument."""
    if not prompt.strip():
        raise InvalidArgument("the prompt is empty", hint="leave it out, or ask something")
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidArgument(f"expected a prompt of at most {LONGEST_PROMPT} characters, not {len(prompt)}")
    for token in control:
        if token in prompt:
            raise InvalidArgument(
                f"a prompt can't hold the model's control token {token}", hint="write the question in words"
            )
