"""Drawn sets balanced to order."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.faces import face_at
from harness.faces.balance import balanced


def test_every_combination_has_the_same_number_of_people_and_the_faces_are_those_of_the_plain_set() -> (
    None
):
    found = balanced(2 * 20 * 7, by=["age_group", "glasses"], emotions=7, seed=3, split="test")
    faces = [face_at(index, seed=3) for index in found.indices]
    people = {f.identity.subject: f.identity for f in faces}
    counts = Counter((p.age_group, "no" if p.glasses == "none" else "yes") for p in people.values())
    assert len(counts) == 8 and set(counts.values()) == {5}
    assert counts == Counter(found.people) and found.partial == 0
    emotions = Counter(f.emotion for f in faces)
    assert set(emotions.values()) == {40}


def test_a_remainder_is_spread_and_told(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    out = tmp_path / "faces"
    command = ["faces", "draw", "--n", "15", "--balance", "glasses", "--out", str(out)]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "1 combination has one person more" in told
    assert "the last person shows 1 of the emotions alone" in told
    lines = [line for line in told.splitlines() if line.startswith("  ")]
    assert sum(int(line.rpartition(", ")[2].split()[0]) for line in lines) == 15
    assert len(list((out / "images").iterdir())) == 15


@pytest.mark.parametrize(
    ("n", "by", "told"),
    [
        (70, ["mood"], "'mood' is not a trait"),
        (70, ["glasses", "glasses"], "given twice"),
        (69, ["skin_tone", "glasses"], "fewer than the 20 combinations"),
    ],
)
def test_what_cannot_be_balanced_is_told(n, by, told) -> None:
    with pytest.raises(HarnessError, match=told):
        balanced(n, by=by, emotions=7, seed=0, split="test")


def test_videos_are_not_balanced(tmp_path, capsys) -> None:
    command = ["faces", "draw", "--kind", "long", "--n", "2", "--balance", "skin_tone"]
    assert main([*command, "--out", str(tmp_path / "x")]) == 2
    assert "not for --kind long" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
