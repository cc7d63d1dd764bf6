"""The trainer's own forward pass over the stock modules and weights.

Batches of equal-sized pictures, a tree mask, plain matrix products for attention: on a CPU the
fused attention kernel's backward pass takes half of a training step. `check` holds it equal to
transformers' forward pass; inference always uses the latter.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from harness.affect_tiny.training.architecture import BLOCK, MEAN, MERGE, PATCH, SPREAD


def patches_of(pictures: Tensor) -> Tensor:
    """uint8 (n, height, width, 3) to (n, patches, 588): the image processor's order of patches.

    The processor repeats a still picture along time; that copy is left out here and made good in
    `see` by adding the two halves of the embedding's weights.
    """
    n, height, width = pictures.shape[:3]
    rows, columns = height // BLOCK, width // BLOCK
    x = (pictures.float() / 255 - torch.tensor(MEAN)) / torch.tensor(SPREAD)
    x = x.view(n, rows, MERGE, PATCH, columns, MERGE, PATCH, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
    return x.reshape(n, rows * columns * MERGE * MERGE, 3 * PATCH * PATCH)


def vision_turns(tower: Any, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the vision tower's rotary positions, each (1, 1, patches, head), for
    pictures of this size in pixels."""
    high, wide = height // PATCH, width // PATCH
    rows, cols = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")

    def order(grid: Tensor) -> Tensor:
        split = grid.reshape(high // MERGE, MERGE, wide // MERGE, MERGE)
        return split.permute(0, 2, 1, 3).flatten()

    places = torch.stack([order(rows), order(cols)], dim=-1)
    cos, sin = tower.rotary_pos_emb(torch.zeros(1), places)
    return cos[None, None], sin[None, None]


def see(tower: Any, patches: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Patches (n, patches, 588) to picture tokens (n, tokens, width)."""
    n, count, _ = patches.shape
    x = F.linear(patches, tower.patch_embed.proj.weight.sum(2).flatten(1))
    for block in tower.blocks:
        heads = block.attn
        qkv = heads.qkv(_norm(block.norm1, x)).view(n, count, 3, heads.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = _attend(_rotate(q, *turns), _rotate(k, *turns), v, None)
        x = x + heads.proj(mixed.transpose(1, 2).reshape(n, count, -1))
        x = x + _gated(block.mlp, _norm(block.norm2, x))
    merger = tower.merger
    return merger.mlp(_norm(merger.ln_q, x).reshape(n, count // MERGE**2, -1))


def read(text: Any, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
    """Embedded tokens (n, length, width) to hidden states of the same shape.

    Args:
        text: the language model.
        x: token embeddings, picture tokens in place.
        positions: (3, n, length) rotary positions in time, height and width.
        mask: (n, 1, length, length), added to the attention scores.
    """
    n, length, _ = x.shape
    cos, sin = (t[:, None] for t in text.rotary_emb(torch.zeros(1), positions))
    for layer in text.layers:
        heads = layer.self_attn
        y = _norm(layer.input_layernorm, x)
        q, k, v = (
            proj(y).view(n, length, -1, heads.head_dim).transpose(1, 2)
            for proj in (heads.q_proj, heads.k_proj, heads.v_proj)
        )
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        share = q.shape[1] // k.shape[1]
        if share > 1:
            k, v = k.repeat_interleave(share, 1), v.repeat_interleave(share, 1)
        mixed = _attend(q, k, v, mask).transpose(1, 2).reshape(n, length, -1)
        x = x + heads.o_proj(mixed)
        x = x + _gated(layer.mlp, _norm(layer.post_attention_layernorm, x))
    return _norm(text.norm, x)


def embed(model: Any, ids: Tensor, pictures: Tensor, picture_id: int) -> Tensor:
    """Token embeddings with the picture tokens (pictures, tokens, width) put in, in order."""
    x = model.model.language_model.embed_tokens(ids)
    slots = (ids == picture_id)[..., None]
    return x.masked_scatter(slots, pictures.to(x.dtype))


def _norm(module: Any, x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), module.weight.to(x.dtype), module.variance_epsilon)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat((-b, a), dim=-1) * sin.to(x.dtype)


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask.to(scores.dtype)
    return scores.softmax(-1).to(v.dtype) @ v


def _gated(module: Any, x: Tensor) -> Tensor:
    return module.down_proj(F.silu(module.gate_proj(x)) * module.up_proj(x))
