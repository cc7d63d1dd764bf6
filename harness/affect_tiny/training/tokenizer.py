"""A small byte-level BPE tokenizer trained on the instruction grammar itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)


def train_tokenizer(texts: Iterable[str], *, size: int, chat_template: str) -> Any:
    """A Qwen2Tokenizer of at most `size` entries; every byte has one, so no text is unknown."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

    raw = Tokenizer(models.BPE())
    raw.normalizer = normalizers.NFC()
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIAL_TOKENS),
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    raw.train_from_iterator(texts, trainer)
    table = json.loads(raw.to_str())["model"]
    return Qwen2Tokenizer(
        vocab=table["vocab"],
        merges=[tuple(pair) for pair in table["merges"]],
        extra_special_tokens=list(SPECIAL_TOKENS[1:]),
        eos_token="<|im_end|>",  # noqa: S106
        pad_token="<|endoftext|>",  # noqa: S106
        chat_template=chat_template,
        model_max_length=8192,
    )
