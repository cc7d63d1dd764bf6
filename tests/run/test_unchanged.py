"""A run that goes on opens the pictures of finished trials only where something has changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from harness.core import picture
from harness.run import stamps
from tests.run.keeping import PLAIN, Desk, RuleModel, make_desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stamps, "SETTLED", 0.0)  # the pictures are written a moment ago
    return make_desk(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the picture files that were opened."""
    names: list[str] = []
    read = picture._read_file

    def noting(path: Path) -> bytes:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(picture, "_read_file", noting)
    yield names


def again(desk: Desk, opened: list[str]) -> tuple[list[str], int]:
    """The pictures that the next start opens, and how many requests it puts."""
    opened.clear()
    model = RuleModel()
    done = desk.run(model, check_models=True)
    assert (
        done.tally.trials == done.tally.asked + done.tally.reused == sum(done.tally.cells.values())
    )
    return sorted(opened), len(model.asked)


def test_nothing_is_opened_where_nothing_has_changed(desk: Desk, opened: list[str]) -> None:
    desk.run(RuleModel())
    assert len(opened) == 12
    scores = desk.folder.scores.read_bytes()
    assert again(desk, opened) == ([], 0)
    assert desk.folder.scores.read_bytes() == scores


def test_a_changed_picture_is_asked_again_and_only_that(desk: Desk, opened: list[str]) -> None:
    desk.run(RuleModel())
    one, other = (desk.root / name for name in ("p3.png", "p4.png"))
    before, when = one.read_bytes(), one.stat()
    one.write_bytes(other.read_bytes()[:-1] + b"x")
    assert again(desk, opened) == (["p3.png"], 1)
    assert again(desk, opened) == ([], 0)
    # Put back, with its old time: its own reply counts again, and is not asked for.
    one.write_bytes(before)
    os.utime(one, ns=(when.st_atime_ns, when.st_mtime_ns))
    assert again(desk, opened) == (["p3.png"], 0)
    assert again(desk, opened) == ([], 0)


def test_a_picture_written_a_moment_ago_is_opened(
    desk: Desk, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(RuleModel())
    monkeypatch.setattr(stamps, "SETTLED", 60.0)
    assert again(desk, opened)[0] == sorted(f"p{n}.png" for n in range(12))


def test_what_is_pending_is_asked_and_a_new_prompt_too(desk: Desk, opened: list[str]) -> None:
    calls = count(1)
    desk.run(RuleModel(fail=lambda request: next(calls) > 8))
    left, asked = again(desk, opened)
    assert len(left) == asked == 4
    desk.write_prompt("other", PLAIN.replace("One of", "Which of"))
    opened.clear()
    model = RuleModel()
    done = desk.run(model, "plain", "other")
    assert (len(model.asked), done.tally.reused, done.tally.trials) == (12, 12, 24)
    desk.write_prompt("plain", PLAIN.replace("One of", "Is it one of"))
    assert again(desk, opened)[1] == 12


def test_without_the_file_all_are_opened_and_it_is_written_anew(
    desk: Desk, opened: list[str]
) -> None:
    desk.run(RuleModel())
    desk.folder.stamps.unlink()
    assert len(again(desk, opened)[0]) == 12
    kept = desk.folder.stamps.read_bytes()
    desk.folder.stamps.write_bytes(kept[:-5])  # as a kill leaves it
    assert len(again(desk, opened)[0]) == 1
    assert desk.folder.stamps.read_bytes() == kept


def test_few_shot_examples_are_looked_at_again(desk: Desk, opened: list[str]) -> None:
    desk.write_prompt(
        "shots",
        "---\nfields: [emotion]\n---\n{% for e in exemplars %}{% user %}{{ e.frames[0] }}{% enduser %}{% assistant %}"
        "{{ e.emotion }}{% endassistant %}{% endfor %}{% user %}{{ image }} Which?{% enduser %}\n",
    )
    desk.run(RuleModel(), "shots", shots=(1,))
    opened.clear()
    desk.run(RuleModel(), "shots", shots=(1,))
    assert opened


def test_what_is_computed_together_is_opened_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stamps, "SETTLED", 0.0)
    desk = make_desk(tmp_path, 140)
    desk.run(RuleModel())
    (tmp_path / "p70.png").write_bytes((tmp_path / "p71.png").read_bytes() + b"x")
    opened.clear()
    model = RuleModel()  # stands in for one that may compute in batches until it is opened
    done = desk.run(model)
    assert (len(model.asked), done.tally.trials, done.tally.reused) == (1, 140, 139)
    assert sorted(opened) == sorted(f"p{n}.png" for n in range(64, 128))
