"""A log is known by its index only where the log is the same to the byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Message, Text
from harness.run import log_index
from harness.run.finished import FinishedTrials
from harness.run.folder import RunFolder
from harness.run.journal import Journal
from harness.run.log import read_log
from harness.run.log_index import index_of

TRIALS = 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(log_index, "BLOCK", 7)
    made = RunFolder(tmp_path / "run")
    made.create()
    return made


def key(number: int) -> str:
    return f"{number * 2654435761 % 2**32:08x}" * 8


def fill(folder: RunFolder, start: int = 0, stop: int = TRIALS) -> None:
    """Trials of two cells on two bases, some asked twice, some failed."""
    journal = Journal(folder)
    for number in range(start, stop):
        said = (Message("user", (Text(f"question {number % 9}"),)),)
        journal.add_reply(Generation(key(number), f"reply {number}", "stop"), said)
        trial, basis = f"c{number % 2}/0/s{number % 30}", f"b{number // 25}"
        journal.add_trial(trial, basis, [key(number)])
    journal.close()


def known(folder: RunFolder) -> tuple[object, ...]:
    """All that a start takes from the logs."""
    journal = Journal(folder)
    trials = [(f"c{n % 2}/0/s{n % 30}", b) for n in range(TRIALS + 9) for b in ("b0", "b1")]
    replies = [journal.reply(key(n)) for n in range(TRIALS + 9)]
    held = journal._finished
    found = [held.state(trial, [basis]) for trial, basis in trials]
    count, asked = len(journal), dict(held.asked)
    journal.close()
    return replies, found, count, asked


def without_index(folder: RunFolder) -> tuple[object, ...]:
    for log in logs(folder):
        index_of(log).unlink(missing_ok=True)
    return known(folder)


def logs(folder: RunFolder) -> tuple[Path, ...]:
    return folder.trials, folder.generations, folder.conversations


def test_a_start_reads_only_lines_behind_the_index(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder)
    expected = known(folder)
    read = log_index.LogIndex(folder.generations, 24)
    assert read.end == folder.generations.stat().st_size
    monkeypatch.setattr("harness.core.json_text.orjson.loads", lambda line: 1 / 0)
    journal = Journal(folder)
    journal.close()
    monkeypatch.undo()
    assert known(folder) == expected == without_index(folder)


def line_gone(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:3] + lines[4:]))


def line_again(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[2], *lines]))


def letter(log: Path) -> None:
    text = log.read_bytes()
    at = text.index(b"0", len(text) // 2)
    log.write_bytes(text[:at] + b"1" + text[at + 1 :])


def half(log: Path) -> None:
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])


def index_half(log: Path) -> None:
    half(index_of(log))


def index_of_another(log: Path) -> None:
    other = log.with_name("trials.jsonl" if log.stem == "generations" else "generations.jsonl")
    index_of(log).write_bytes(index_of(other).read_bytes())


@pytest.mark.parametrize(
    "change", [line_gone, line_again, letter, half, index_half, index_of_another]
)
def test_a_changed_log_or_index_is_noticed(
    folder: RunFolder, change: Callable[[Path], None]
) -> None:
    for log_name in ("trials", "generations"):
        for log in logs(folder):
            log.unlink(missing_ok=True)
            index_of(log).unlink(missing_ok=True)
        fill(folder)
        change(folder.path / f"{log_name}.jsonl")
        assert known(folder) == without_index(folder)
        fill(folder, TRIALS - 5, TRIALS + 9)  # what is written then is known too
        assert known(folder) == without_index(folder)


def test_an_index_with_any_byte_changed_is_not_believed(folder: RunFolder) -> None:
    fill(folder)
    whole = {log: index_of(log).read_bytes() for log in logs(folder)}
    expected, drawn = known(folder), random.Random(3)
    for _ in range(60):
        log = drawn.choice(logs(folder))
        place = drawn.randrange(len(whole[log]))
        other = bytearray(whole[log])
        other[place] ^= 1 << drawn.randrange(8)
        index_of(log).write_bytes(drawn.choice([other, whole[log][:place]]))
        assert known(folder) == expected
        assert index_of(log).read_bytes() == whole[log], "it is written anew behind what held"


def test_a_reader_writes_no_index_and_a_broken_line_is_named(folder: RunFolder) -> None:
    fill(folder)
    index_of(folder.trials).unlink()
    FinishedTrials(folder.trials)
    assert not index_of(folder.trials).exists()
    with folder.trials.open("ab") as file:
        file.write(b"{}\n")
    known_lines = sum(1 for _ in folder.trials.open("rb"))
    with pytest.raises(HarnessError, match=rf"trials.jsonl:{known_lines}: not a line"):
        Journal(folder)
    with pytest.raises(HarnessError, match=rf":{known_lines}:"):
        list(read_log(folder.trials))
