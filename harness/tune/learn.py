"""Learn prompts on a frozen dual encoder."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import HarnessError
from harness.models.dual.encoder import NONE, DualEncoder, LearnedPrompts
from harness.tune import losses
from harness.tune.losses import Weights

Texts = Sequence[Sequence[str]]
EVERY = 5
"""Steps between two looks at the validation fold."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How prompts are learnt."""

    contexts: int = 8
    """Vectors before the words of every text, the same for all labels."""
    visual: int = 0
    """Vectors behind the patches in each layer; 0: pictures are seen as the frozen model sees them."""
    weights: Weights = field(default_factory=Weights)
    steps: int = 120
    rate: float = 5e-3
    batch: int = 32
    """Pictures in a step where there are visual prompts or patches; else all are."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.contexts and not self.visual:
            raise HarnessError("nothing is learnt", hint="ask for --contexts or --visual vectors")
        if self.weights.prototype and not self.visual:
            raise HarnessError(
                "prototype alignment has no effect without visual prompts: pictures stay where they are",
                hint="ask for --visual 4, or leave out --prototype",
            )
        if (self.weights.token or self.weights.prompt) and not self.contexts:
            raise HarnessError(
                "alignment with hard prompts has no effect without contexts: texts stay what they are",
                hint="ask for --contexts 8, or use --align-token 0 and --align-prompt 0",
            )


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learnt, at the step at which the validation fold was read best."""

    prompts: LearnedPrompts
    step: int
    """0: before the first."""
    curve: tuple[tuple[int, float, float], ...]
    """(step, cross-entropy, share right) on the validation fold."""


@dataclass(slots=True)
class _Seen:
    """A fold as the frozen model sees it."""

    pixels: Any
    labels: Any
    features: Any


def learn(
    encoder: DualEncoder,
    texts: Texts,
    train: tuple[Any, Sequence[int]],
    validation: tuple[Any, Sequence[int]],
    learning: Learning,
    *,
    say: Callable[[str], None] = lambda line: None,
) -> Learned:
    """Learn vectors for the `texts` of each label. A fold is (pixels, place of the label of each).

    The model's own weights get no gradient. Adam; the step of least cross-entropy on the validation fold counts.
    """
    import torch

    seen = [_see(encoder, *fold, torch=torch) for fold in (train, validation)]
    made = torch.Generator().manual_seed(learning.seed)
    layers, width = encoder.vision
    first = {
        "context": (learning.contexts, encoder.width),
        "visual": (layers, learning.visual, width),
    }
    device = encoder.model.device
    vectors = {
        name: (0.02 * torch.randn(shape, generator=made)).to(device).requires_grad_(True)
        for name, shape in first.items()
        if 0 not in shape
    }
    optimiser = torch.optim.Adam(vectors.values(), lr=learning.rate)
    with torch.no_grad():
        aims = _Aims.of(encoder, texts, seen[0], learning)
    best: tuple[float, int, dict[str, Any]] | None = None
    curve: list[tuple[int, float, float]] = []
    for step in range(learning.steps + 1):
        if step % EVERY == 0 or step == learning.steps:
            entropy, right = _read(encoder, texts, seen[1], LearnedPrompts(**vectors), torch)
            curve.append((step, round(entropy, 6), round(right, 6)))
            say(f"step {step}: validation cross-entropy {entropy:.4f}, accuracy {right:.3f}")
            if best is None or entropy < best[0]:
                best = (entropy, step, {n: copy.deepcopy(v.detach()) for n, v in vectors.items()})
        if step == learning.steps:
            break
        optimiser.zero_grad()
        loss = _loss(
            encoder, texts, seen[0], learned=LearnedPrompts(**vectors), aims=aims, learning=learning, made=made
        )  # fmt: skip
        loss.backward()
        optimiser.step()
    assert best is not None  # step 0 is always looked at
    return Learned(LearnedPrompts(**best[2]), best[1], tuple(curve))


def _see(encoder: DualEncoder, pixels: Any, labels: Sequence[int], *, torch: Any) -> _Seen:
    with torch.no_grad():
        found = torch.cat([encoder.of_pictures(part) for part in pixels.split(64)])
    return _Seen(pixels, torch.tensor(list(labels), device=found.device), found)


@dataclass(frozen=True, slots=True)
class _Aims:
    """What soft prompts are aligned with, worked out once by the frozen model."""

    flat: tuple[str, ...]
    """Every text of every label."""
    owner: Any
    """(texts): the label of each."""
    hard: Any
    """(texts, features)"""
    tokens: Any
    """(labels, places, features); None where tokens are not aligned."""
    prototypes: Any
    """(labels, features); None where pictures are not aligned."""

    @classmethod
    def of(cls, encoder: DualEncoder, texts: Texts, seen: _Seen, learning: Learning) -> _Aims:
        import torch

        flat = tuple(text for each in texts for text in each)
        owner = torch.tensor([n for n, each in enumerate(texts) for _ in each])
        tokens = prototypes = None
        if learning.weights.token:
            tokens = _tokens(encoder, flat, owner, NONE, len(texts))
        if learning.weights.prototype:
            means = [seen.features[seen.labels == n].mean(0) for n in range(len(texts))]
            prototypes = torch.nn.functional.normalize(torch.stack(means), dim=-1)
        return cls(flat, owner, encoder.of_texts(flat), tokens, prototypes)


def _tokens(
    encoder: DualEncoder, flat: Sequence[str], owner: Any, learned: LearnedPrompts, count: int
) -> Any:
    """(labels, places, features): the pooled words of each label's texts, averaged."""
    import torch

    found = losses.pooled(encoder.of_words(flat, learned)[1], torch)
    means = torch.stack([found[owner == n].mean(0) for n in range(count)])
    return torch.nn.functional.normalize(means, dim=-1)


def _by_label(soft: Any, owner: Any, count: int) -> Any:
    """(labels, features): the mean over each label's texts, of length 1."""
    import torch

    means = torch.stack([soft[owner == n].mean(0) for n in range(count)])
    return torch.nn.functional.normalize(means, dim=-1)


def _loss(
    encoder: DualEncoder,
    texts: Texts,
    seen: _Seen,
    *,
    learned: LearnedPrompts,
    aims: _Aims,
    learning: Learning,
    made: Any,
) -> Any:
    """The loss of one step."""
    import torch

    weights, cross = learning.weights, torch.nn.functional.cross_entropy
    soft = encoder.of_texts(aims.flat, learned)
    classes = _by_label(soft, aims.owner, len(texts))
    if learning.visual or weights.patches:
        places = torch.randperm(len(seen.labels), generator=made)[: learning.batch]
        labels = seen.labels[places]
        whole, patches = (
            encoder.of_patches(seen.pixels[places], learned)
            if weights.patches
            else (encoder.of_pictures(seen.pixels[places], learned), None)
        )
    else:
        labels, whole, patches = seen.labels, seen.features, None
    loss = cross(encoder.log_shares(encoder.logits(whole, classes)), labels)
    if weights.prompt:
        loss = loss + weights.prompt * losses.prompt_alignment(soft, aims.hard)
    if weights.token:
        own = _tokens(encoder, aims.flat, aims.owner, learned, len(texts))
        loss = loss + weights.token * losses.token_alignment(own, aims.tokens, torch)
    if weights.prototype:
        loss = loss + weights.prototype * losses.prototype_alignment(whole, aims.prototypes, labels)
    if weights.patches:
        scale = encoder.model.logit_scale.exp()
        near = losses.patch_logits(patches, classes) * scale
        loss = loss + weights.patches * cross(near, labels)
    return loss


def _read(
    encoder: DualEncoder, texts: Texts, seen: _Seen, learned: LearnedPrompts, torch: Any
) -> tuple[float, float]:
    """Cross-entropy, balanced over labels, and the share right, on a fold."""
    with torch.no_grad():
        features = seen.features
        if learned.visual is not None:
            parts = [encoder.of_pictures(part, learned) for part in seen.pixels.split(64)]
            features = torch.cat(parts)
        shares = encoder.log_shares(encoder.logits(features, encoder.ensemble(texts, learned)))
        own = -shares.gather(1, seen.labels[:, None])[:, 0]
        there = [own[seen.labels == n].mean() for n in seen.labels.unique().tolist()]
        right = (shares.argmax(1) == seen.labels).float().mean()
        return float(torch.stack(there).mean()), float(right)
