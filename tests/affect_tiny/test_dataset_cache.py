"""The trainer's pictures: kept apart from the test subjects, drawn once, the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.affect_tiny.training.dataset_cache import DatasetSpec, draw_pool, load_pool, shrink
from harness.core.errors import HarnessError
from harness.faces import TEST_SEEDS


@pytest.mark.parametrize("seed", sorted(TEST_SEEDS)[:3])
def test_test_seeds_are_refused(seed: int) -> None:
    with pytest.raises(HarnessError, match="kept for evaluation"):
        DatasetSpec("face", 4, seed, "train", 56)


def test_test_subjects_are_refused_whatever_the_seed() -> None:
    with pytest.raises(HarnessError, match="kept for evaluation"):
        DatasetSpec("face", 4, 12345, "test", 56)


def test_a_pool_is_drawn_once_and_read_back(tmp_path: Path) -> None:
    spec = DatasetSpec("clip", 2, 9000, "train", 56)
    draw_pool(spec, tmp_path / "a")
    draw_pool(spec, tmp_path / "b")
    first, second = load_pool(tmp_path / "a"), load_pool(tmp_path / "b")
    assert first.pixels.shape == (2, 3, 56, 56, 3)
    assert (first.pixels == second.pixels).all() and first.truths == second.truths
    stamp = (tmp_path / "a/0000.npy").stat().st_mtime_ns
    draw_pool(spec, tmp_path / "a")
    assert (tmp_path / "a/0000.npy").stat().st_mtime_ns == stamp


def test_another_pool_in_the_folder_is_an_error(tmp_path: Path) -> None:
    draw_pool(DatasetSpec("face", 1, 9000, "train", 56), tmp_path)
    with pytest.raises(HarnessError, match="another pool"):
        draw_pool(DatasetSpec("face", 1, 9001, "train", 56), tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="no pictures"):
        load_pool(tmp_path)


def test_shrinking_equals_the_picture_processors_resize() -> None:
    from harness.affect_tiny.training.architecture import (
        MEAN,
        SPREAD,
        Sizes,
        build_picture_processor,
    )

    side = Sizes().picture
    pixels = np.random.default_rng(1).integers(0, 255, (224, 224, 3), dtype=np.uint8)
    processor = build_picture_processor(Sizes())
    big = processor(images=[Image.fromarray(pixels)], return_tensors="np")["pixel_values"]
    small = processor(images=[Image.fromarray(shrink(pixels, side))], return_tensors="np")
    error = np.abs(big - small["pixel_values"]) * min(SPREAD) * 255
    assert error.max() <= 1.01, (error.max(), MEAN)
