"""Random checkpoints of further families, as small as their classes allow, in the form transformers loads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.models.tiny_checkpoint import SPECIAL, TEMPLATE, tokenizer

LLAMA_SPECIAL = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    "<|finetune_right_pad_id|>",
)  # fmt: skip
LLAMA_TEMPLATE = (
    "{{ bos_token }}{% set ns = namespace(seen=false) %}"
    "{% for m in messages %}{% if m.content is not string %}{% for c in m.content %}"
    "{% if c.type == 'image' %}{% set ns.seen = true %}{% endif %}{% endfor %}{% endif %}{% endfor %}"
    "{% for m in messages %}"
    "{% if m.role == 'system' %}{% if ns.seen %}"
    "{{ raise_exception('Prompting with images is incompatible with system messages.') }}{% endif %}"
    "{{ '<|start_header_id|>system<|end_header_id|>\\n\\n' }}{{ m.content | trim }}<|eot_id|>"
    "{% else %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' }}"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}"
    "{% if c.type == 'image' %}<|image|>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endif %}<|eot_id|>"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
"""Does what Llama-3.2-Vision's own template does: system turns are strings, and none stands before a picture."""


def llama_tokenizer() -> Any:
    """A byte-level tokenizer without merges: one token a byte. `<|image|>` lies past the rows of the head."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocab = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    inner = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens([*LLAMA_SPECIAL, "<|image|>"])
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        pad_token="<|finetune_right_pad_id|>",
        model_max_length=4096,
    )
    made.chat_template = LLAMA_TEMPLATE
    return made


def build_mllama(folder: Path, *, seed: int = 0) -> Path:
    """Llama-3.2-Vision's class: cross-attention to tiles of 56 pixels, its gates open."""
    import torch
    from transformers import MllamaConfig, MllamaForConditionalGeneration

    token = llama_tokenizer()
    image = token.convert_tokens_to_ids("<|image|>")
    ends = {
        "bos_token_id": token.bos_token_id,
        "eos_token_id": token.eos_token_id,
        "pad_token_id": token.pad_token_id,
    }
    config = MllamaConfig(
        text_config={
            "vocab_size": image, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4,
            "num_attention_heads": 2, "num_key_value_heads": 1, "cross_attention_layers": [1, 3],
            "max_position_embeddings": 2048,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, **ends,
        },
        vision_config={
            "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_global_layers": 1,
            "attention_heads": 2, "image_size": 56, "patch_size": 14, "max_num_tiles": 4,
            "intermediate_layers_indices": [0, 1], "vision_output_dim": 192,
            "supported_aspect_ratios": [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]],
        },
        image_token_index=image,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = MllamaForConditionalGeneration(config).eval()
    _widen(model, open_gates=True)
    preprocessor = {
        "image_processor_type": "MllamaImageProcessor",
        "processor_class": "MllamaProcessor",
        "size": {"height": 56, "width": 56},
        "max_image_tiles": 4,
    }
    return _save(folder, model, token, preprocessor, LLAMA_TEMPLATE, ends)


def build_qwen3(folder: Path, *, seed: int = 0) -> Path:
    """Qwen3-VL's class: features of the picture enter deeper layers too."""
    import torch
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    token = tokenizer()
    ids = {name: token.convert_tokens_to_ids(name) for name in SPECIAL}
    ends = {
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
    }
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": 320, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
            "max_position_embeddings": 2048,
            "rope_parameters": {
                "rope_type": "default", "mrope_section": [6, 5, 5], "mrope_interleaved": True,
                "rope_theta": 10000.0,
            },
            **ends,
        },
        vision_config={
            "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "patch_size": 14,
            "spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": 64,
            "num_position_embeddings": 64, "deepstack_visual_indexes": [0],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    torch.manual_seed(seed)
    model = Qwen3VLForConditionalGeneration(config).eval()
    _widen(model)
    preprocessor = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen3VLProcessor",
        "size": {"shortest_edge": 28 * 28, "longest_edge": 112 * 112},
        "patch_size": 14,
        "merge_size": 2,
        "temporal_patch_size": 2,
    }
    return _save(folder, model, token, preprocessor, TEMPLATE, ends)


def _widen(model: Any, *, open_gates: bool = False) -> None:
    """At the usual 0.02 a tiny model's logits are flat and pictures hardly matter; closed gates hide them."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "gate" in name and "gate_proj" not in name and open_gates:
                parameter.fill_(0.9)
            elif parameter.ndim >= 2:
                parameter.normal_(0, 0.15)


def _save(
    folder: Path,
    model: Any,
    token: Any,
    preprocessor: dict[str, Any],
    template: str,
    ends: dict[str, int | Sequence[int]],
) -> Path:
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        **ends, do_sample=True, repetition_penalty=1.9, top_k=1, temperature=0.1
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    token.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=1))
    (folder / "chat_template.jinja").write_text(template)
    return folder
