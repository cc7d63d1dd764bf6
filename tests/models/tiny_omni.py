"""A random Qwen2.5-Omni whose thinker has a few hundred thousand parameters, in the form in which such checkpoints are
published: the thinker is a part of the configuration, and its weights are named `thinker.`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.models.tiny_families import _save, _widen

NAMED = {
    "image_token": "<|IMAGE|>", "audio_token": "<|AUDIO|>", "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>", "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>",
}  # fmt: skip
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}"
    "{% if c.type == 'image' %}<|vision_bos|><|IMAGE|><|vision_eos|>"
    "{% elif c.type == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% elif c.type == 'video' %}<|vision_bos|><|VIDEO|><|vision_eos|>"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
BINS = 16
SECONDS = 3
"""The longest sound that its processor reads."""


def tokenizer() -> Any:
    """One token a byte, and the named ones."""
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Tokenizer

    vocab = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Qwen2Tokenizer(
        vocab=vocab, merges=[], eos_token="<|im_end|>", pad_token="<|endoftext|>", model_max_length=4096,
        extra_special_tokens={"im_start_token": "<|im_start|>", **NAMED},
    )  # fmt: skip
    made.chat_template = TEMPLATE
    return made


def thinker_config(token: Any) -> Any:
    """Two layers each of text, vision and sound."""
    from transformers import Qwen2_5OmniThinkerConfig

    ids = {name: token.convert_tokens_to_ids(text) for name, text in NAMED.items()}
    return Qwen2_5OmniThinkerConfig(
        text_config={
            "vocab_size": 320, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 2048,
            "rope_parameters": {
                "rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 10000.0,
            },
            "tie_word_embeddings": False, "bos_token_id": token.pad_token_id,
            "eos_token_id": token.eos_token_id, "pad_token_id": token.pad_token_id,
        },
        vision_config={
            "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "patch_size": 14,
            "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 56, "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
        },
        audio_config={
            "num_mel_bins": BINS, "encoder_layers": 2, "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64, "d_model": 32, "n_window": 10, "max_source_positions": 200,
            "output_dim": 64,
        },
        image_token_index=ids["image_token"], audio_token_index=ids["audio_token"],
        video_token_index=ids["video_token"], audio_start_token_id=ids["audio_bos_token"],
        audio_end_token_id=ids["audio_eos_token"], vision_start_token_id=ids["vision_bos_token"],
        vision_end_token_id=ids["vision_eos_token"], user_token_id=0,
    )  # fmt: skip


def build_omni(folder: Path, *, seed: int = 0, deaf: bool = False) -> Path:
    """Write the checkpoint. `deaf`: its processor takes sounds, and all of them are the same to it."""
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import Qwen2_5OmniThinkerForConditionalGeneration

    token = tokenizer()
    config = thinker_config(token)
    torch.manual_seed(seed)
    model = Qwen2_5OmniThinkerForConditionalGeneration(config).eval()
    _widen(model)
    if deaf:
        with torch.no_grad():
            model.model.audio_tower.proj.weight.zero_()
    preprocessor = {
        "processor_class": "Qwen2_5OmniProcessor",
        "image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14, "merge_size": 2,
        "temporal_patch_size": 2, "size": {"shortest_edge": 28 * 28, "longest_edge": 112 * 112},
        "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": BINS, "hop_length": 160,
        "n_fft": 400, "sampling_rate": 16_000, "chunk_length": SECONDS, "n_samples": SECONDS * 16_000,
        "nb_max_frames": SECONDS * 100, "padding_side": "left", "padding_value": 0.0,
        "return_attention_mask": True,
    }  # fmt: skip
    ends = {"eos_token_id": token.eos_token_id, "pad_token_id": token.pad_token_id}
    _save(folder, model, token, preprocessor, TEMPLATE, ends)
    weights = folder / "model.safetensors"
    named = {f"thinker.{name}": tensor for name, tensor in load_file(weights).items()}
    named["talker.codec_head.weight"] = torch.zeros(2, 2)  # what speaks is not read
    save_file(named, weights, metadata={"format": "pt"})
    whole = {
        "architectures": ["Qwen2_5OmniModel"], "model_type": "qwen2_5_omni",
        "enable_audio_output": False, "thinker_config": config.to_dict(),
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(whole, indent=1))
    return folder
