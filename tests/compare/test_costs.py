"""Files of costs: what is read, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.compare.costs import read_costs
from harness.core.errors import HarnessError

LABELS = ("anger", "fear")


def costs_file(folder: Path, text: str, name: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_both_kinds_of_files_say_the_same(tmp_path: Path) -> None:
    written = costs_file(tmp_path, "wrong: 1\nabstain: 0.25\nmistakes: {fear: {anger: 4}}\n", "c.yaml")  # fmt: skip
    matrix = costs_file(tmp_path, "\ufefftrue,anger,fear,abstain\nfear,4,0,.25\nanger,0,1,.25\n", "c.csv")  # fmt: skip
    found = read_costs(written, LABELS)
    assert found == read_costs(matrix, LABELS)
    assert found.of("fear", "anger") == 4 and found.of("anger", "fear") == 1
    assert found.of("fear", "fear") == 0 and found.abstain == found.no_answer == 0.25


def test_yes_and_no_are_labels_and_other_costs_may_be_named(tmp_path: Path) -> None:
    file = costs_file(tmp_path, "{wrong: 1, abstain: 0, no_answer: 9, right: .5, mistakes: {yes: {no: 3}}}", "c.yml")  # fmt: skip
    found = read_costs(file, ("yes", "no"))
    assert (found.of(True, False), found.of(False, True), found.of("yes", True)) == (3, 1, 0.5)
    assert found.no_answer == 9


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.yaml", "wrong: 1\n", "abstain"), ("c.yaml", "wrong: 1\nabstain: -1\n", "c.yaml:2: abstain"),
        ("c.yaml", "wrong: .inf\nabstain: 1\n", "c.yaml:1: wrong"), ("c.yaml", "wrong: 1\nabstain: 1\nright_: 2\n", "right_"),
        ("c.yaml", "wrong: 1\nabstain: 1\nmistakes:\n  fear: {joy: 1}\n", "c.yaml:4: 'joy' is not a label"),
        ("c.yaml", "wrong: 1\nabstain: 1\nmistakes:\n  fear: {fear: 1}\n", "c.yaml:4: fear answered fear is no mistake"),
        ("c.txt", "wrong: 1", "neither a .yaml nor a .csv"), ("c.csv", "", "first column"),
        ("c.csv", "true,anger,fear\nanger,0,1\nfear,1,0\n", "no column 'abstain'"),
        ("c.csv", "true,anger,fear,joy,abstain\n", "unknown column 'joy'"),
        ("c.csv", "true,anger,fear,abstain\nanger,0,1,.2\n", "'fear' is missing"),
        ("c.csv", "true,anger,fear,abstain\nanger,0,nan,.2\nfear,1,0,.2\n", "c.csv:2: fear: 'nan'"),
        ("c.csv", "true,anger,fear,abstain\nanger,0,1\nfear,1,0,.2\n", "c.csv:2: 3 cells"),
        ("c.csv", "true,anger,fear,abstain\nanger,0,1,.3\nfear,1,0,.2\n", "abstain costs differ"),
        ("c.csv", "true,anger,fear,abstain\nanger,0,1,.2\nanger,0,1,.2\nfear,1,0,.2\n", "appears twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as caught:
        read_costs(costs_file(tmp_path, text, name), LABELS)
    assert said in caught.value.message
