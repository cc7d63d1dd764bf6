"""Random checkpoints of families that tests/models/tiny_families.py has not: LLaVA's, InternVL, Gemma 3, Idefics3."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.models.tiny_families import _save, _widen

BEGIN, END = "<|turn|>", "<|end|>"


def template(
    *, picture: str, begins: str = "{{ role }}\n", space: str = "", string_replies: bool = False
) -> str:
    """A chat template: `begins` opens a turn, `space` stands between that and a reply that was given, and where
    `string_replies` an assistant's turn may only be a string, as in LLaVA-1.5's and Pixtral's templates."""
    head = f"'{BEGIN}' + m.role + '{begins}'"
    parts = (
        "{% for c in m.content %}{% if c.type == 'image' %}" + picture + "{% else %}{{ c.text }}"
        "{% endif %}{% endfor %}"
    )
    reply = (
        "{{ '" + space + "' + m.content }}"
        if string_replies
        else "{{ '"
        + space
        + "' }}{% if m.content is string %}{{ m.content }}{% else %}"
        + parts
        + "{% endif %}"
    )
    said = "{% if m.content is string %}{{ m.content }}{% else %}" + parts + "{% endif %}"
    return (
        "{% for m in messages %}{{ " + head + " }}{% if m.role == 'assistant' %}" + reply
        + "{% else %}" + said + "{% endif %}{{ '" + END + "' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '" + BEGIN + "assistant" + begins + "' }}{% endif %}"
    )  # fmt: skip


def byte_tokenizer(special: Sequence[str], named: Mapping[str, str] | None = None) -> Any:
    """One token a byte; `special` are tokens of their own, `named` those that a processor asks its tokenizer for."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocab = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    inner = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(["<pad>", BEGIN, END, *special])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token=END,
        pad_token="<pad>",
        model_max_length=4096,
        extra_special_tokens=dict(named or {}),
    )


def _text(token: Any, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "model_type": kind, "vocab_size": len(token), "hidden_size": 64, "intermediate_size": 128,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "pad_token_id": token.pad_token_id,
        "eos_token_id": token.eos_token_id, "bos_token_id": None, **more,
    }  # fmt: skip


_SIGLIP = {
    "model_type": "siglip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 2, "image_size": 56, "patch_size": 14, "vision_use_head": False,
}  # fmt: skip


def _made(folder: Path, model: Any, token: Any, written: str, files: Mapping[str, Any]) -> Path:
    ends = {"eos_token_id": token.eos_token_id, "pad_token_id": token.pad_token_id}
    _widen(model)
    settings = dict(files)
    _save(folder, model.eval(), token, settings.pop("preprocessor_config.json"), written, ends)
    for name, content in settings.items():
        (folder / name).write_text(json.dumps(content))
    return folder


def build_onevision(folder: Path, *, seed: int = 0) -> Path:
    """LLaVA-OneVision's class: a picture whole, and in as many patches as suit its shape."""
    import torch
    from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration

    token = byte_tokenizer(["<image>", "<video>"])
    grid = [[high * 56, wide * 56] for high in (1, 2, 3) for wide in (1, 2, 3)]
    config = LlavaOnevisionConfig(
        text_config=_text(token, "qwen2"), vision_config=_SIGLIP, image_grid_pinpoints=grid,
        image_token_index=token.convert_tokens_to_ids("<image>"),
        video_token_index=token.convert_tokens_to_ids("<video>"),
    )  # fmt: skip
    torch.manual_seed(seed)
    return _made(
        folder, LlavaOnevisionForConditionalGeneration(config), token, template(picture="<image>"),
        {
            "preprocessor_config.json": {
                "image_processor_type": "LlavaOnevisionImageProcessor", "image_grid_pinpoints": grid,
                "size": {"height": 56, "width": 56},
            },
            "processor_config.json": {
                "processor_class": "LlavaOnevisionProcessor", "num_image_tokens": 16,
                "vision_feature_select_strategy": "full",
            },
        },
    )  # fmt: skip


def build_internvl(folder: Path, *, seed: int = 0) -> Path:
    """InternVL's class in transformers' own form: tiles of 56 pixels."""
    import torch
    from transformers import InternVLConfig, InternVLForConditionalGeneration

    named = {
        "start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }  # fmt: skip
    token = byte_tokenizer(list(named.values()), named)
    config = InternVLConfig(
        text_config=_text(token, "qwen2"), image_token_id=token.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        vision_config={
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": [56, 56], "patch_size": [14, 14],
        },
    )  # fmt: skip
    torch.manual_seed(seed)
    return _made(
        folder, InternVLForConditionalGeneration(config), token, template(picture="<IMG_CONTEXT>"),
        {
            "preprocessor_config.json": {
                "image_processor_type": "GotOcr2ImageProcessor", "crop_to_patches": True, "max_patches": 6,
                "size": {"height": 56, "width": 56},
            },
            "processor_config.json": {"processor_class": "InternVLProcessor", "image_seq_length": 4},
        },
    )  # fmt: skip


def build_gemma3(folder: Path, *, seed: int = 0, window: int = 24) -> Path:
    """Gemma 3's class; its prompts are longer than the usual `window` of its local attention, as they are in use."""
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    named = {
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    }
    token = byte_tokenizer(list(named.values()), named)
    config = Gemma3Config(
        text_config=_text(
            token, "gemma3_text", sliding_window=window, query_pre_attn_scalar=32,
            layer_types=["sliding_attention", "full_attention"],
        ),
        vision_config=_SIGLIP, mm_tokens_per_image=4, tie_word_embeddings=False,
        boi_token_index=token.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=token.convert_tokens_to_ids("<end_of_image>"),
        image_token_index=token.convert_tokens_to_ids("<image_soft_token>"),
    )  # fmt: skip
    torch.manual_seed(seed)
    return _made(
        folder, Gemma3ForConditionalGeneration(config), token, template(picture="<start_of_image>"),
        {
            "preprocessor_config.json": {
                "image_processor_type": "Gemma3ImageProcessor", "size": {"height": 56, "width": 56},
            },
            "processor_config.json": {"processor_class": "Gemma3Processor", "image_seq_length": 4},
        },
    )  # fmt: skip


def build_llava(folder: Path, *, seed: int = 0, processor: str = "LlavaProcessor") -> Path:
    """LLaVA-1.5's class, whose template takes replies as strings and writes a space before them."""
    import torch
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    token = byte_tokenizer(["<image>"])
    config = LlavaConfig(
        text_config=_text(token, "llama"), image_token_index=token.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
        vision_config={
            "model_type": "clip_vision_model", "hidden_size": 64, "intermediate_size": 128,
            "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
        },
    )  # fmt: skip
    torch.manual_seed(seed)
    return _made(
        folder, LlavaForConditionalGeneration(config), token,
        template(picture="<image>", begins=":", space=" ", string_replies=True),
        {
            "preprocessor_config.json": {
                "image_processor_type": "LlavaImageProcessor", "size": {"shortest_edge": 56},
                "crop_size": {"height": 56, "width": 56},
            },
            "processor_config.json": {
                "processor_class": processor, "patch_size": 14, "num_additional_image_tokens": 1,
                "vision_feature_select_strategy": "default",
            },
        },
    )  # fmt: skip


def build_idefics3(folder: Path, *, seed: int = 0) -> Path:
    """Idefics3's class, whose template writes a space before a reply."""
    import torch
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    cells = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    token = byte_tokenizer(
        ["<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>", *cells]
    )
    config = Idefics3Config(
        text_config=_text(token, "llama"), scale_factor=2,
        image_token_id=token.convert_tokens_to_ids("<image>"),
        vision_config={
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": 56, "patch_size": 14,
        },
    )  # fmt: skip
    torch.manual_seed(seed)
    return _made(
        folder, Idefics3ForConditionalGeneration(config), token,
        template(picture="<image>", begins=":", space=" "),
        {
            "preprocessor_config.json": {
                "image_processor_type": "Idefics3ImageProcessor", "size": {"longest_edge": 112},
                "max_image_size": {"longest_edge": 56},
            },
            "processor_config.json": {"processor_class": "Idefics3Processor", "image_seq_len": 4},
        },
    )  # fmt: skip
