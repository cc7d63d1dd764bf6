"""Losses of prompt learning.

The scheme follows MPA-FER (Ma et al., 2025, arXiv:2506.21017): cross-entropy, alignment of soft with hard prompts token by
token and as a whole, of prompted pictures with prototypes, and local patches. The paper gives the form of the alignment of
tokens; the other forms, all weights and all counts are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PLACES = 8
"""Places to which the words of a text are pooled before they are aligned."""
TEMPERATURE = 0.1
"""Of the alignment of tokens."""
NEAREST = 16
"""Patches of a picture that count, those that are nearest to any label."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each loss counts beside the cross-entropy of the whole picture; 0 switches it off."""

    token: float = 0.0
    prompt: float = 1.0
    prototype: float = 0.0
    patches: float = 0.0


def prompt_alignment(soft: Any, hard: Any) -> Any:
    """Mean of 1 - cosine between each soft text and the same text without contexts. (texts, features), length 1."""
    return (1 - (soft * hard).sum(-1)).mean()


def pooled(words: Any, torch: Any) -> Any:
    """(texts, PLACES, features): words of each text, which are not zero, averaged over equal stretches, of length 1."""
    rows = []
    for text in words:
        real = text[text.norm(dim=-1) > 0]
        places = torch.nn.functional.adaptive_avg_pool1d(real.T[None], PLACES)[0].T
        rows.append(torch.nn.functional.normalize(places, dim=-1))
    return torch.stack(rows)


def token_alignment(soft: Any, hard: Any, torch: Any) -> Any:
    """For each label and place -log of the share of its own soft token among those of all labels:
    `-log(exp(s_yd h_yd / t) / sum_c exp(s_cd h_yd / t))`, averaged. (labels, places, features)."""
    nearness = torch.einsum("cpf,ypf->ypc", soft, hard) / TEMPERATURE
    own = torch.arange(len(soft), device=soft.device)[:, None, None]
    shares = nearness.log_softmax(-1).gather(-1, own.expand(*nearness.shape[:2], 1))
    return -shares.mean()


def prototype_alignment(pictures: Any, prototypes: Any, labels: Any) -> Any:
    """Mean of 1 - cosine between each prompted picture and the mean of its label's pictures as the frozen model sees
    them."""
    return (1 - (pictures * prototypes[labels]).sum(-1)).mean()


def patch_logits(patches: Any, texts: Any) -> Any:
    """(pictures, labels): mean cosine of a picture's NEAREST patches, those whose cosine with any label is greatest."""
    near = patches @ texts.T
    count = min(NEAREST, near.shape[1])
    chosen = near.max(-1).values.topk(count, dim=1).indices
    return near.gather(1, chosen[..., None].expand(-1, -1, near.shape[-1])).mean(1)
