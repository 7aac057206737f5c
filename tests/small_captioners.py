"""Captioners of transformers with random weights in the files that the hub has of them: BLIP, Florence-2, Qwen2-VL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import pre_tokenizers

from thanopg.models.caption_prompts import Chat
from thanopg.models.torchvision_shim import import_torchvision

TEXTS = ("a red dress on a white background", "빨간 원피스를 입은 사람", '{"caption": "a blue bag", "colour": "blue"}')
QUESTION = "옷?"
STEPS = 40
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def save_blip(directory: Path, *, side: int = 32) -> str:
    """Returns its source."""
    import_torchvision()
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    directory.mkdir(parents=True, exist_ok=True)
    words = sorted({word for text in TEXTS for word in text.split() if word.isalpha()})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", *words, "photo", "of", "##s"]
    file = directory / "vocab.txt"
    file.write_text("\n".join(pieces), encoding="utf-8")
    tokenizer = BertTokenizerFast(str(file), bos_token="[DEC]", additional_special_tokens=["[DEC]"])
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {
        **small,
        "vocab_size": len(tokenizer),
        "encoder_hidden_size": 32,
        "bos_token_id": 5,
        "sep_token_id": 3,
        "pad_token_id": 0,
        "max_position_embeddings": 40,
        "initializer_range": 0.5,
    }
    vision = {**small, "image_size": side, "patch_size": 8, "initializer_range": 0.5}
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=16)
    pictures = BlipImageProcessor(size={"height": side, "width": side})
    return _save(directory, BlipForConditionalGeneration, config, BlipProcessor(pictures, tokenizer))


def save_florence(directory: Path, *, side: int = 64) -> str:
    """Returns its source."""
    import_torchvision()
    from transformers import (
        BartTokenizerFast,
        CLIPImageProcessor,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2Processor,
    )

    directory.mkdir(parents=True, exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *alphabet])}
    tokenizer = BartTokenizerFast(vocab=vocabulary, merges=[], extra_special_tokens={"image_token": "<image>"})
    tokenizer.add_tokens(["<mask>"])
    text = {
        "model_type": "bart",
        "vocab_size": len(tokenizer),
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "max_position_embeddings": 256,
        "init_std": 0.5,
        "forced_eos_token_id": None,
    }
    vision = {
        "depths": (1, 1, 1, 1),
        "embed_dim": (8, 16, 16, 32),
        "num_heads": (1, 2, 2, 4),
        "num_groups": (1, 2, 2, 4),
        "window_size": 4,
        "projection_dim": 32,
    }
    places = (side // 32) ** 2
    config = Florence2Config(
        text_config=text, vision_config=vision, image_token_id=tokenizer.convert_tokens_to_ids("<image>")
    )
    pictures = CLIPImageProcessor(
        size={"height": side, "width": side}, do_center_crop=False, image_seq_length=places + 1
    )
    processor = Florence2Processor(image_processor=pictures, tokenizer=tokenizer)
    return _save(directory, Florence2ForConditionalGeneration, config, processor)


def save_qwen(directory: Path, *, answers: Mapping[str, str] | None = None) -> str:
    """`answers`: by language, what it learns to say to QUESTION, whatever the picture. Returns its source."""
    import_torchvision()
    from transformers import (
        Qwen2Tokenizer,
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    directory.mkdir(parents=True, exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<|endoftext|>", *alphabet])}
    control = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=[], eos_token="<|im_end|>", extra_special_tokens=control)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in control}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0},
        "bos_token_id": 0,
        "eos_token_id": ids["<|im_end|>"],
        "initializer_range": 0.3,
    }
    vision = {"depth": 1, "embed_dim": 16, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 14}
    config = Qwen2VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    bounds = {"shortest_edge": 28 * 28, "longest_edge": 56 * 56}
    processor = Qwen2VLProcessor(
        Qwen2VLImageProcessor(size=bounds), tokenizer, Qwen2VLVideoProcessor(size=bounds), chat_template=CHAT
    )
    return _save(directory, Qwen2VLForConditionalGeneration, config, processor, answers=answers)


def _save(directory: Path, kind: Any, config: Any, processor: Any, *, answers: Mapping[str, str] | None = None) -> str:
    torch.manual_seed(0)
    model = kind(config)
    if answers:
        _teach(model, processor, answers)
    model.save_pretrained(directory)
    processor.save_pretrained(directory)
    return f"transformers:{directory}"


def _teach(model: Any, processor: Any, answers: Mapping[str, str]) -> None:
    chat = Chat(processor)
    picture = torch.full((3, 56, 56), 128, dtype=torch.uint8)
    lessons = []
    for language, answer in answers.items():
        asked = chat.text(QUESTION, language)
        lesson, before = (
            processor(images=[[picture]], text=[text], return_tensors="pt", do_resize=False)
            for text in (f"{asked}{answer}<|im_end|>", asked)
        )
        lesson["labels"] = lesson["input_ids"].clone()
        lesson["labels"][:, : before["input_ids"].shape[1]] = -100
        lessons.append(lesson)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(STEPS):
        for lesson in lessons:
            model(**lesson).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
