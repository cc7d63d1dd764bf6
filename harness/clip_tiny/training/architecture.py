"""A CLIP of a million parameters, and how its weights begin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

CROP, PATCH = 84, 12
"""Side in pixels of what the model sees of a picture of `pictures.STORED` pixels, and of a patch."""
WIDTH, VISION_LAYERS, TEXT_LAYERS, PLACES = 128, 4, 2, 64
SPECIAL = ("<pad>", "<unk>", "<begin>", "<end>")
"""In this order: transformers reads a CLIP whose end is token 2 out at its largest token."""


def build_tokenizer(words: Sequence[str]) -> Any:
    """A tokenizer of whole words in lower case; what is no letter parts words, and other words are unknown."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = [*SPECIAL, *words]
    raw = Tokenizer(models.WordLevel({name: n for n, name in enumerate(names)}, unk_token="<unk>"))  # noqa: S106
    raw.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex("[^a-z]+"), " ")]
    )
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.post_processor = processors.TemplateProcessing(
        single="<begin> $A <end>", special_tokens=[("<begin>", 2), ("<end>", 3)]
    )
    pad, unknown, begin, end = SPECIAL
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token=pad, unk_token=unknown, bos_token=begin, eos_token=end,
        model_max_length=PLACES,
    )  # fmt: skip


def build_model(words: int) -> Any:
    """The CLIP with random weights; `words` is the size of the tokenizer."""
    from transformers import CLIPConfig, CLIPModel

    common = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_attention_heads": 4}
    text = {
        "vocab_size": words, "num_hidden_layers": TEXT_LAYERS, "max_position_embeddings": PLACES,
        "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "projection_dim": WIDTH,
    }  # fmt: skip
    vision = {
        "image_size": CROP, "patch_size": PATCH, "num_hidden_layers": VISION_LAYERS, "projection_dim": WIDTH,
    }  # fmt: skip
    config = CLIPConfig(
        text_config={**common, **text}, vision_config={**common, **vision}, projection_dim=WIDTH
    )
    return CLIPModel(config)


def build_picture_processor() -> Any:
    """Shorter side to the stored size, then the middle."""
    from transformers import CLIPImageProcessorPil

    from harness.clip_tiny.training.pictures import STORED

    return CLIPImageProcessorPil(
        size={"shortest_edge": STORED}, crop_size={"height": CROP, "width": CROP}
    )


def begin(model: Any, sample: Tensor) -> None:
    """Set the weights that decide whether training leaves its plateau.

    Patch filters are cosines of low frequency (DCT-II) by colour, each divided by the spread of its response on
    `sample` (n, 3, side, side) plus .1; positions of patches are sines over rows and columns; vectors of words have
    a spread of .3.
    """
    begin_vision(model.vision_model.embeddings, sample)
    with torch.no_grad():
        torch.nn.init.normal_(model.text_model.embeddings.token_embedding.weight, std=0.3)
        model.logit_scale.fill_(math.log(1 / 0.07))


def begin_vision(embeddings: Any, sample: Tensor) -> None:
    """Set the patch filters and positions of the embeddings of a vision transformer, as `begin` says."""
    weight = embeddings.patch_embedding.weight
    count, _, _, patch = weight.shape
    with torch.no_grad():
        filters = torch.from_numpy(_filters(count, patch)).float()
        spread = torch.nn.functional.conv2d(sample, filters, stride=patch).std((0, 2, 3))
        weight.copy_(filters / (spread + 0.1)[:, None, None, None])
        embeddings.position_embedding.weight[1:].copy_(
            0.5 * _places(sample.shape[-1] // patch, count)
        )


def _filters(count: int, patch: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(count, 3, patch, patch): half of them of brightness, a quarter of each of two colour axes, each of length 1."""
    steps = (np.arange(patch) + 0.5) * np.pi / patch
    order = sorted(
        ((u, v) for u in range(patch) for v in range(patch)), key=lambda p: (sum(p), p[0])
    )
    axes = ((count // 2, (1, 1, 1)), (count // 4, (1, 0, -1)), (count - count // 2 - count // 4, (1, -2, 1)))  # fmt: skip
    found = []
    for number, colour in axes:
        tint = np.asarray(colour, float)[:, None, None]
        for u, v in order[:number]:
            one = tint * np.outer(np.cos(u * steps), np.cos(v * steps))[None]
            found.append(one / np.linalg.norm(one))
    return np.stack(found)


def _places(side: int, width: int) -> Tensor:
    """(side * side, width): sines and cosines of the row in one half, of the column in the other."""
    quarter = width // 4
    speeds = torch.exp(-math.log(100.0) * torch.arange(quarter) / quarter)
    angles = torch.arange(side)[:, None] * speeds
    one = torch.cat([angles.sin(), angles.cos()], dim=1)
    rows = one[:, None].expand(side, side, -1)
    columns = one[None].expand(side, side, -1)
    return torch.cat([rows, columns], dim=-1).reshape(side * side, width)
