"""One against many: ranks and open-set errors against plain loops, strangers, unusable pictures, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import HarnessError, MediaError
from harness.similarity.identification import Photo, Search, identify, ranks_of, search
from harness.similarity.recogniser import of_length_one


class Planted:
    """Embeddings that lie in the pictures: three bytes and noise."""

    name, identity = "similarity:planted", "planted"

    def __init__(self, *, embeds: bool = True) -> None:
        self.embeds = embeds

    def embed(self, pictures: Sequence[np.ndarray]) -> np.ndarray | None:
        if any(one.max() == 0 for one in pictures):
            raise MediaError("no face", kind="unsupported", hint="")
        if not self.embeds:
            return None
        return of_length_one(np.stack([one.reshape(-1).astype(float) - 128 for one in pictures]))

    def similarity(self, a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> np.ndarray:
        both = [
            of_length_one(np.stack([o.reshape(-1).astype(float) - 128 for o in s])) for s in (a, b)
        ]
        return (both[0] * both[1]).sum(axis=1).astype(np.float32)


def photos(persons: int, each: int, *, noise: float, seed: int = 0) -> list[Photo]:
    rng = np.random.default_rng(seed)
    found = []
    for person in range(persons):
        middle = rng.integers(30, 226, (4, 4, 3))
        for place in range(each):
            pixels = np.clip(middle + rng.normal(0, noise, middle.shape), 1, 255).astype(np.uint8)
            found.append(Photo(f"{person}-{place}", f"p{person:02}", lambda p=pixels: p))  # type: ignore[misc]
    return found


def test_clear_pictures_are_found_and_strangers_are_not() -> None:
    found = identify(search(photos(20, 5, noise=4), Planted(), gallery=2, unknown=0.3, seed=1), seed=0)  # fmt: skip
    assert (found.enrolled, found.gallery, found.mated, found.non_mated) == (14, 28, 42, 30)
    assert found.rank_one.value == 1 and found.rank_one.low < 1
    assert all(one.fpir <= one.limit and one.fnir.value == 0 for one in found.open_set)


def test_noise_alone_finds_no_one_above_chance() -> None:
    rng = np.random.default_rng(0)
    drawn = []
    for number in range(500):
        pixels = rng.integers(1, 255, (4, 4, 3), np.uint8)
        drawn.append(Photo(f"{number}", f"p{number % 25:02}", lambda p=pixels: p))  # type: ignore[misc]
    found = identify(search(drawn, Planted(), gallery=1, unknown=0.2, seed=0), seed=0)
    assert found.rank_one.low <= 1 / found.enrolled <= found.rank_one.high
    assert found.open_set[1].fnir.value > 0.9


def test_the_rates_are_those_of_plain_loops() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 12, (40, 6)) / 10
    own = np.array([*rng.integers(0, 6, 25), *[-1] * 15])
    made = Search(scores, own, np.arange(40) // 2, 6)
    ranks = [1 + sum(s >= row[o] for k, s in enumerate(row) if k != o) for row, o in zip(scores, own, strict=True) if o >= 0]  # fmt: skip
    assert ranks_of(made)[:25].tolist() == ranks
    found = identify(made, seed=0)
    assert found.rank_one.value == pytest.approx(np.mean(np.array(ranks) == 1))
    assert dict(found.ranks)[3] == pytest.approx(np.mean(np.array(ranks) <= 3))
    for one in found.open_set:
        reached = np.mean([row.max() >= one.threshold for row in scores[25:]])
        missed = [not (r == 1 and row.max() >= one.threshold) for r, row in zip(ranks, scores[:25], strict=True)]  # fmt: skip
        assert one.fpir == reached <= one.limit
        assert one.fnir.value == pytest.approx(np.mean(missed))
        lower = max((s for s in scores[25:].max(1) if s < one.threshold), default=-1)
        assert np.mean([row.max() >= lower for row in scores[25:]]) > one.limit


def test_scores_without_embeddings_give_the_same_search() -> None:
    given = photos(8, 4, noise=60)
    options = {"gallery": 1, "unknown": 0.25, "seed": 2}
    first = search(given, Planted(), **options)
    second = search(given, Planted(embeds=False), **options)
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-6)
    np.testing.assert_array_equal(first.own, second.own)


def test_a_picture_that_cannot_be_used_counts_as_not_found() -> None:
    given = photos(6, 3, noise=3)
    blank = Photo("p00-blank", "p00", lambda: np.zeros((4, 4, 3), np.uint8))
    found = search([*given, blank], Planted(), gallery=1, unknown=0, seed=0)
    assert found.unusable == ("p00-blank",)
    result = identify(found, seed=0)
    assert result.open_set == ()
    lost = np.isneginf(found.scores).all(axis=1).sum() + np.isneginf(found.scores).all(axis=0).sum()
    assert lost == 1


def test_a_stranger_whose_picture_cannot_be_used_is_not_found_at_any_threshold() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [-np.inf, -np.inf], [-np.inf, -np.inf]])
    found = identify(Search(scores, np.array([0, 1, -1, -1]), np.arange(4), 2), seed=0)
    assert [(one.fpir, one.fnir.value) for one in found.open_set] == [(0, 0), (0, 0)]


def test_too_few_persons_are_refused() -> None:
    with pytest.raises(HarnessError, match="more than 1 picture who can be enrolled: 0") as told:
        search(photos(3, 1, noise=1), Planted(), gallery=1, unknown=0, seed=0)
    assert told.value.at_work is False and "--limit" in told.value.hint


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness.cli.main", "identify", "faces/emotion", "--model", "similarity:tiny", "--limit", "70", "--json"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    told = json.loads(done.stdout)
    assert told["enrolled"] == 7 and told["rank_one"]["value"] > 0.6
    wrong = subprocess.run([*command[:6], "affect-tiny"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "is no recogniser" in wrong.stderr
