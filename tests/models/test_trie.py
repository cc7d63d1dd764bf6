"""Holding generated tokens to some sequences."""

from __future__ import annotations

import pytest

from harness.models.transformers.trie import Held, Trie

torch = pytest.importorskip("torch")

END = 9


def allowed(trie: Trie, said: list[int], prompt: int = 2) -> list[int]:
    row = torch.tensor([[7] * prompt + said])
    held = Held([trie], width=prompt, ends=[END], torch=torch)(row, torch.zeros(1, 10))
    return [int(i) for i in torch.isfinite(held[0]).nonzero()]


def test_a_sequence_may_be_the_beginning_of_another() -> None:
    trie = Trie.of([(1, 2), (1, 2, 3), (4,)])
    assert allowed(trie, []) == [1, 4]
    assert allowed(trie, [1]) == [2]
    assert allowed(trie, [1, 2]) == [3, END]
    assert allowed(trie, [4]) == [END]


def test_what_follows_the_end_is_left_alone() -> None:
    assert allowed(Trie.of([(4,)]), [4, END]) == list(range(10))


def test_each_row_has_its_own() -> None:
    held = Held([Trie.of([(1,)]), Trie.of([(2,)])], width=1, ends=[END], torch=torch)
    scores = held(torch.tensor([[0], [0]]), torch.arange(20.0).reshape(2, 10))
    assert scores.argmax(-1).tolist() == [1, 2]
    assert scores[1, 2] == 12.0
