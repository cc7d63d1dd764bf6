"""Clips mixed in training: all frames and all that is true of them, in one share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from harness.affect_tiny.training.batches import ClipFeed
from harness.affect_tiny.training.dataset_cache import CachedDataset
from harness.affect_tiny.training.losses import Lessons
from harness.affect_tiny.training.settings import TrainingSettings
from harness.faces import MICRO_7

SIZE = 5


@pytest.fixture(scope="module")
def pool() -> CachedDataset:
    rng = np.random.default_rng(0)
    truths = [{"emotion": MICRO_7[n], "units": {"12": [0.1 * n, 0.0]}} for n in range(7)]
    return CachedDataset(rng.integers(0, 256, (7, 3, 4, 4, 3), dtype=np.uint8), tuple(truths))


def test_clips_are_mixed_with_another_in_all_frames(pool: CachedDataset) -> None:
    plain = ClipFeed(pool)
    batch = ClipFeed(pool, mix=0.4).draw(np.random.default_rng(3), SIZE)
    own = plain.take(batch.index, mirrored=batch.mirrored)
    other = plain.take(batch.index[batch.partners], mirrored=batch.mirrored)
    assert 0 < batch.share < 1 and (batch.partners != np.arange(SIZE)).all()
    share = batch.share
    wanted = share * own.pixels.float() + (1 - share) * other.pixels.float()
    assert (batch.pixels.float() - wanted).abs().max() <= 0.51
    assert torch.allclose(batch.units, share * own.units + (1 - share) * other.units)
    assert torch.allclose(batch.fine.sum(1), torch.ones(SIZE))
    for n in np.flatnonzero(own.fine != other.fine):
        assert batch.fine[n, own.fine[n]] == pytest.approx(share)


def test_without_the_switch_the_batches_are_what_they_were(pool: CachedDataset) -> None:
    feed = ClipFeed(pool)
    batch = feed.draw(np.random.default_rng(3), SIZE)
    again = feed.take(batch.index, mirrored=batch.mirrored)
    assert batch.share == 1 and torch.equal(batch.pixels, again.pixels)
    assert torch.equal(batch.fine, again.fine) and batch.fine.dtype == torch.int64
    lone = ClipFeed(pool, mix=0.4).draw(np.random.default_rng(3), 1)
    assert lone.share == 1


class Told(Lessons):
    """Lessons whose loss of a batch is what the truths told add up to."""

    def _talk_loss(self, rows: Any, tokens: Any) -> torch.Tensor:
        return torch.tensor(float(sum(rows)))


def test_both_truths_are_told_in_their_shares(pool: CachedDataset) -> None:
    none: Any = None
    lessons = Told(TrainingSettings(), none, none, none)
    truths = [10.0**n for n in range(SIZE)]
    mixed = ClipFeed(pool, mix=1.0).draw(np.random.default_rng(1), SIZE)
    plain = ClipFeed(pool).draw(np.random.default_rng(1), SIZE)
    first = 3  # fewer are talked about than are seen
    loss = lessons._told(lambda given: list(given[:first]), mixed, truths, torch.zeros(SIZE))
    partners = sum(truths[n] for n in mixed.partners[:first])
    assert float(loss) == pytest.approx(
        mixed.share * sum(truths[:first]) + (1 - mixed.share) * partners
    )
    alone = lessons._told(lambda given: list(given[:first]), plain, truths, torch.zeros(SIZE))
    assert float(alone) == sum(truths[:first])
