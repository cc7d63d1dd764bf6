"""A run that goes on opens the pictures of finished trials only where something has changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import picture
from harness.core.medium import image
from harness.core.picture import HeldPicture
from harness.core.sample import Sample
from harness.run import stamps
from harness.sources.mapper import Mapper
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

    def noting(path: str) -> bytes:
        names.append(Path(path).name)
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


QUESTIONS = """\
---
fields: [emotion]
---
{% user %}{{ image }} {{ question }} {{ labels | join(', ') }}{% enduser %}
"""


def asking(root: Path, count: int) -> Desk:
    """A desk with a question in each row, in a task of its own columns."""
    desk = make_desk(root, count)
    lines = (root / "labels.csv").read_text().splitlines()
    told = [f"{line},question {n}?" for n, line in enumerate(lines[1:])]
    (root / "labels.csv").write_text("\n".join([f"{lines[0]},question", *told]) + "\n")
    task = root / "task.yaml"
    task.write_text(task.read_text().replace("image: image,", "image: image, question: question,"))
    desk.write_prompt("plain", QUESTIONS)
    return desk


@pytest.fixture
def rows_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the rows that were made samples."""
    names: list[str] = []
    made = Mapper.sample

    def noting(self: Mapper, row: object, sample_id: str) -> object:
        names.append(sample_id)
        return made(self, row, sample_id)  # type: ignore[arg-type]

    monkeypatch.setattr(Mapper, "sample", noting)
    return names


def test_of_a_run_that_is_done_no_row_is_made_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str], rows_made: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stamps, "SETTLED", 0.0)
    desk = asking(tmp_path, 30)
    desk.run(RuleModel())
    rows_made.clear()
    assert again(desk, opened) == ([], 0)
    assert set(rows_made) <= {"p0.png"}, "one is looked at, to say what a request is"
    rows_made.clear()
    cut = desk.folder.trials.read_bytes().splitlines(keepends=True)
    desk.folder.trials.write_bytes(b"".join(cut[:-2]))
    assert again(desk, opened) == (["p28.png", "p29.png"], 0)
    assert set(rows_made) <= {"p0.png", "p28.png", "p29.png"}


CHANGES: dict[str, Callable[[Desk], tuple[int, int]]] = {}
"""What is changed; it returns how many pictures are opened and how many requests are put then."""


def change(make: Callable[[Desk], tuple[int, int]]) -> Callable[[Desk], tuple[int, int]]:
    CHANGES[make.__name__] = make
    return make


@change
def a_question(desk: Desk) -> tuple[int, int]:
    table = desk.root / "labels.csv"
    table.write_text(table.read_text().replace("question 7?", "question seven?"))
    return 1, 1


@change
def a_picture(desk: Desk) -> tuple[int, int]:
    path = desk.root / "p7.png"
    path.write_bytes(path.read_bytes() + b"x")
    return 1, 1


@change
def a_picture_of_equal_size_and_time(desk: Desk) -> tuple[int, int]:
    path = desk.root / "p7.png"
    when, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-1] + b"x")
    os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))
    return 1, 1


@change
def another_picture_in_its_place(desk: Desk) -> tuple[int, int]:
    shutil.copy2(desk.root / "p8.png", desk.root / "new.png")
    (desk.root / "new.png").replace(desk.root / "p7.png")
    return 1, 1


@change
def the_prompt(desk: Desk) -> tuple[int, int]:
    desk.write_prompt("plain", QUESTIONS.replace("{{ question }}", "Look. {{ question }}"))
    return 30, 30


@change
def an_option(desk: Desk) -> tuple[int, int]:
    task = desk.root / "task.yaml"
    task.write_text(task.read_text().replace("[anger, happiness]", "[happiness, anger]"))
    return 30, 30


@change
def stamps_cut(desk: Desk) -> tuple[int, int]:
    desk.folder.stamps.write_bytes(desk.folder.stamps.read_bytes()[:-40])
    return 2, 0


@change
def stamps_garbled(desk: Desk) -> tuple[int, int]:
    data = bytearray(desk.folder.stamps.read_bytes())
    data[3 * 32 + 5] ^= 1  # a name
    data[9 * 32 + 20] ^= 1  # what was noted of a sample
    desk.folder.stamps.write_bytes(data)
    return 2, 0


@change
def stamps_of_other_samples(desk: Desk) -> tuple[int, int]:
    data = desk.folder.stamps.read_bytes()
    desk.folder.stamps.write_bytes(data[:16] + data[48:64] + data[32:])
    return 1, 0


@change
def a_reply(desk: Desk) -> tuple[int, int]:
    """The line of a trial names another request, which was answered."""
    lines = [json.loads(line) for line in desk.folder.trials.read_text().splitlines()]
    lines[4]["keys"] = lines[5]["keys"]
    desk.folder.trials.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return 1, 0


@pytest.mark.parametrize("name", CHANGES)
def test_what_has_changed_is_noticed_without_reading_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stamps, "SETTLED", 0.0)
    desk = asking(tmp_path, 30)
    desk.run(RuleModel())
    assert again(desk, opened) == ([], 0)
    expected = CHANGES[name](desk)
    names, asked = again(desk, opened)
    assert (len(names), asked) == expected
    assert again(desk, opened) == ([], 0)


texts = st.none() | st.text(max_size=20)


@given(st.lists(st.tuples(texts, st.text(min_size=1, max_size=20)), max_size=5))
def test_stamps_made_many_at_once_are_those_made_one_by_one(
    rows: list[tuple[str | None, str]],
) -> None:
    told = [(name, 3, 10, 20) for _, name in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stamps, "told_of", lambda medium, now: (medium.frames[0].name, 3, 10, 20))
        one_by_one = [
            stamps.stamp_of(
                Sample("a", image(HeldPicture(name, b"")), targets={}, question=question), now=0.0
            )
            for question, name in rows
        ]
    assert stamps.bare_stamps([q for q, _ in rows], list(map(repr, told))) == one_by_one


def cut_after(path: Path, lines: int) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))


LOSSES: dict[str, tuple[Callable[[Desk], object], int]] = {
    # of these alone the pictures are opened again
    "all": (lambda desk: desk.folder.generations.unlink(), 12),
    "the last": (lambda desk: cut_after(desk.folder.generations, 9), 3),
    "one within": (
        lambda desk: desk.folder.generations.write_bytes(
            b"".join(desk.folder.generations.read_bytes().splitlines(keepends=True)[1:])
        ),
        1,
    ),
    "the last, and the index": (
        lambda desk: (
            cut_after(desk.folder.generations, 9),
            shutil.rmtree(desk.folder.private / "index"),
        ),
        3,
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_replies_that_are_lost_are_asked_again(desk: Desk, opened: list[str], loss: str) -> None:
    desk.run(RuleModel())
    before = desk.folder.records.read_bytes()
    lose, count = LOSSES[loss]
    lose(desk)
    pictures, asked = again(desk, opened)
    assert (len(pictures), asked) == (count, count)
    assert desk.folder.records.read_bytes() == before
    assert again(desk, opened) == ([], 0)


@pytest.mark.parametrize("index", ["kept", "gone"])
def test_conversations_that_are_lost_are_written_again(
    desk: Desk, opened: list[str], index: str
) -> None:
    desk.run(RuleModel())
    before = desk.folder.conversations.read_bytes()
    desk.folder.conversations.unlink()
    if index == "gone":
        shutil.rmtree(desk.folder.private / "index")
    assert again(desk, opened)[1] == 0
    assert desk.folder.conversations.read_bytes() == before
    assert again(desk, opened) == ([], 0)
