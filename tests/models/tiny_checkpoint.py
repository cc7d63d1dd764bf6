"""A random Qwen2.5-VL of a few hundred thousand parameters, written in the form transformers loads."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
PATCH = 14


def tokenizer() -> Any:
    """A byte-level Qwen2 tokenizer without merges: one token a byte."""
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Tokenizer

    vocab = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Qwen2Tokenizer(
        vocab=vocab,
        merges=[],
        extra_special_tokens=list(SPECIAL[1:]),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=4096,
    )
    made.chat_template = TEMPLATE
    return made


def config(token: Any) -> Any:
    """Two layers of text and two of vision, 64 wide."""
    from transformers import Qwen2_5_VLConfig

    ids = {name: token.convert_tokens_to_ids(name) for name in SPECIAL}
    text = {
        "vocab_size": 320,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 2048,
        "rope_parameters": {
            "rope_type": "default",
            "type": "mrope",
            "mrope_section": [4, 6, 6],
            "rope_theta": 10000.0,
        },
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "tie_word_embeddings": False,
    }
    vision = {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 2,
        "patch_size": PATCH,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "window_size": 56,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [1],
    }
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=False,
    )


def build(folder: Path, *, seed: int = 0) -> Path:
    """Write the checkpoint to `folder`. Its own generation defaults are deliberately odd: penalty, top-k."""
    import torch
    from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(seed)
    token = tokenizer()
    model = Qwen2_5_VLForConditionalGeneration(config(token)).eval()
    with (
        torch.no_grad()
    ):  # at the usual 0.02 a tiny model's logits are flat and pictures hardly matter
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                parameter.normal_(0, 0.15)
        model.lm_head.weight[token.eos_token_id] *= 2.5  # so that some replies end of themselves
    model.generation_config = GenerationConfig(
        eos_token_id=[token.eos_token_id, token.pad_token_id],
        pad_token_id=token.pad_token_id,
        do_sample=True,
        repetition_penalty=1.9,
        top_k=1,
        temperature=0.1,
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    token.save_pretrained(folder)
    write = partial(json.dumps, indent=1)
    (folder / "preprocessor_config.json").write_text(
        write(
            {
                "image_processor_type": "Qwen2VLImageProcessor",
                "processor_class": "Qwen2_5_VLProcessor",
                "size": {"shortest_edge": 28 * 28, "longest_edge": 112 * 112},
                "patch_size": PATCH,
                "merge_size": 2,
                "temporal_patch_size": 2,
            }
        )
    )
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def picture(seed: int, size: tuple[int, int] = (84, 56)) -> Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "PNG")
    return Image(f"picture {seed}", stream.getvalue())


def ask(nth: int, text: str | None = None, *, images: int = 1, **sampling: Any) -> Request:
    pictures = tuple(picture(nth + 100 * i) for i in range(images))
    parts = (*pictures, Text(text or "what is this? " * (1 + nth % 4)))
    chosen = Sampling(**{"max_tokens": 12, **sampling})
    return make_request((Message("user", parts),), chosen, model="tiny")
