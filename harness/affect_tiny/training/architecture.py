"""Sizes of affect-tiny, and the untrained model and processor built from them.

The classes are transformers' own Qwen2.5-VL, so that a checkpoint runs wherever those run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.affect_tiny.training.tokenizer import SPECIAL_TOKENS

PATCH = 14
MERGE = 2
BLOCK = PATCH * MERGE
"""Side in pixels of the square that becomes one picture token."""
MEAN = (0.48145466, 0.4578275, 0.40821073)
SPREAD = (0.26862954, 0.26130258, 0.27577711)
"""Mean and standard deviation per channel that Qwen's image processor normalises with."""

# The newline after the role stands inside the braces: a bare one would be eaten by "{%-".
CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.content is string %}{{- message.content }}"
    "{%- else %}{%- for part in message.content %}"
    "{%- if part.type in ['image', 'image_url'] or 'image' in part or 'image_url' in part %}"
    "{{- '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- elif part.type in ['video', 'video_url'] or 'video' in part %}"
    "{{- '<|vision_start|><|video_pad|><|vision_end|>' }}"
    "{%- elif 'text' in part %}{{- part.text }}{%- endif %}"
    "{%- endfor %}{%- endif %}"
    "{{- '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Every size of the model. Text heads are 32 wide, which vLLM supports."""

    picture: int = 140
    """Side in pixels of a square picture as the model sees it; a multiple of 28."""
    vocabulary: int = 2048
    width: int = 128
    """Width of the text model and of a picture token."""
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    vision_width: int = 128
    vision_layers: int = 4
    vision_heads: int = 4

    @property
    def tokens(self) -> int:
        """Picture tokens of one square picture."""
        return int((self.picture // BLOCK) ** 2)


def model_config(sizes: Sizes, ids: dict[str, int]) -> Any:
    """The transformers configuration; `ids` maps each special token to its number."""
    from transformers import Qwen2_5_VLConfig

    text = {
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.width,
        "intermediate_size": 2 * sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-6,
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
        "depth": sizes.vision_layers,
        "hidden_size": sizes.vision_width,
        "intermediate_size": 2 * sizes.vision_width,
        "num_heads": sizes.vision_heads,
        "in_channels": 3,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "window_size": 112,
        "out_hidden_size": sizes.width,
        "fullatt_block_indexes": list(range(sizes.vision_layers)),
        "tokens_per_second": 2,
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


def build_model(sizes: Sizes, tokenizer: Any, *, seed: int) -> Any:
    """An untrained model in float32.

    Weights start at a standard deviation of 1/sqrt(fan in): transformers' 0.02 suits wide models
    and leaves one this narrow almost deaf.
    """
    import torch
    from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration

    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL_TOKENS}
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(model_config(sizes, ids)).float()
    residual = ("o_proj", "down_proj", "attn.proj")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim < 2:
                continue
            weight.normal_(0.0, 0.3 if "embed_tokens" in name else weight[0].numel() ** -0.5)
            if any(part in name for part in residual):
                weight.mul_((2 * sizes.layers) ** -0.5)
    model.generation_config = GenerationConfig(
        bos_token_id=ids["<|endoftext|>"],
        eos_token_id=[ids["<|im_end|>"], ids["<|endoftext|>"]],
        pad_token_id=ids["<|endoftext|>"],
        max_new_tokens=256,
    )
    return model


def whiten_patches(model: Any, patches: Any) -> None:
    """Starts the patch embedding at the whitened principal components of real patches.

    Patches of skin differ mostly in brightness; from a random start that drowns the edges which
    tell one expression from another, and training stays on a plateau for long.

    Args:
        patches: (n, 588) as `harness.affect_tiny.training.forward.patches_of` makes them.
    """
    import torch

    weight = model.model.visual.patch_embed.proj.weight
    centred = patches - patches.mean(0)
    variance, axes = torch.linalg.eigh(centred.T @ centred / len(centred))
    count = min(weight.shape[0], len(variance))
    variance, axes = variance[-count:], axes[:, -count:]
    floor = 0.02 * variance.mean()  # keeps sensor noise from being blown up
    filters = (axes / (variance + floor).sqrt()).T.view(count, 3, PATCH, PATCH)
    with torch.no_grad():  # half on each of the two equal frames of a still picture
        weight[:count] = filters[:, :, None].expand(-1, -1, 2, -1, -1) / 2


def image_settings(sizes: Sizes) -> dict[str, Any]:
    """Settings of the image processor: a square picture of any side becomes `sizes.picture`.

    The two bounds leave some room round the wanted area, since the processor rounds down from
    above and up from below and must reach the same multiple of 28 either way.
    """
    area = sizes.picture**2
    return {
        "size": {"shortest_edge": area - 10 * sizes.picture // 4, "longest_edge": area + 350},
        "patch_size": PATCH,
        "merge_size": MERGE,
        "temporal_patch_size": 2,
        "image_mean": list(MEAN),
        "image_std": list(SPREAD),
    }


def build_picture_processor(sizes: Sizes) -> Any:
    """The Pillow-backed picture processor, which needs no torchvision."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
        Qwen2VLImageProcessorPil,
    )

    return Qwen2VLImageProcessorPil(**image_settings(sizes))
