"""Text encoders of sentence-transformers with random weights, in the files that the hub has of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from thanopg.models.torchvision_shim import import_torchvision

TEXTS = ("query: passage: a red dress", "밝은 빨간색 미니 원피스", "방수가 되는 겨울 부츠", "two brown boots")
DIMENSIONS, CONTEXT = 32, 24


def save_encoder(
    directory: Path, *, pooling: str = "mean", prompts: dict[str, str] | None = None, trained_from: str = ""
) -> str:
    """An XLM-RoBERTa like those under E5 and BGE-M3; returns its source."""
    import_torchvision()
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import XLMRobertaConfig, XLMRobertaModel

    inner = directory.parent / f"{directory.name}-inner"
    tokenizer = _tokenizer()
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=DIMENSIONS,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=CONTEXT + 2,
        initializer_range=0.3,
    )
    torch.manual_seed(0)
    XLMRobertaModel(config).save_pretrained(inner)
    tokenizer.save_pretrained(inner)
    transformer = modules.Transformer(str(inner), max_seq_length=CONTEXT)
    model = SentenceTransformer(
        modules=[transformer, modules.Pooling(DIMENSIONS, pooling_mode=pooling), modules.Normalize()],
        prompts=prompts or {},
        device="cpu",
    )
    model.save(str(directory), create_model_card=False)
    if trained_from:
        file = directory / "config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "_name_or_path": trained_from}))
    return f"sentence-transformers:{directory}"


def _tokenizer() -> Any:
    """SentencePiece's kind of pieces, as XLM-RoBERTa has them, learned from a few texts; other bytes are unknown."""
    from transformers import XLMRobertaTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TEXTS * 4, trainer)
    pieces = json.loads(tokenizer.to_str())["model"]["vocab"]
    return XLMRobertaTokenizerFast(vocab=[tuple(piece) for piece in pieces])
