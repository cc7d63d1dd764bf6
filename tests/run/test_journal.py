from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.core.generation import Failure, Generation, Usage
from harness.core.message import Image, Message, Text
from harness.run.folder import RunFolder, write_atomically
from harness.run.journal import NAMES_HELD, Journal, conversation_turns
from harness.run.log import AppendLog, read_log

KEY = "0123456789abcdef0123456789abcdef"
MESSAGES = (Message("user", (Image("a.png", b"x"), Text("Which?"))),)


def folder_in(path: Path) -> RunFolder:
    folder = RunFolder(path / "run")
    folder.create()
    return folder


@given(
    records=st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=8),
    cut=st.integers(min_value=0, max_value=400),
)
def test_a_cut_file_keeps_every_whole_line_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    log = AppendLog(path)
    offsets = [log.append(record) for record in records]
    assert [log.line_at(offset) for offset in offsets] == records
    log.close()
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    whole = data[:cut].count(b"\n")
    assert [record for _, record in read_log(path)] == records[:whole]
    again = AppendLog(path)
    again.append({"new": 1})
    again.close()
    assert [record for _, record in read_log(path)] == [*records[:whole], {"new": 1}]


def test_a_reply_is_found_again_after_reopening(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    journal = Journal(folder)
    reply = Generation(KEY, "happiness \ud800 é", "stop", Usage(10, 2), 0.25)
    journal.add_reply(reply, MESSAGES)
    assert journal.reply(KEY) == reply
    journal.close()
    again = Journal(folder)
    assert again.reply(KEY) == reply
    assert again.reply("f" * 32) is None
    assert len(again) == 1


def test_a_conversation_is_kept_once_with_its_pictures_numbered(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    journal = Journal(folder)
    for key in (KEY, "f" * 32):
        journal.add_reply(Generation(key, "x", "stop"), MESSAGES)
    journal.close()
    lines = [record for _, record in read_log(folder.conversations)]
    assert [line["turns"] for line in lines] == [[["user", "[image 1]Which?"]]]
    assert conversation_turns(MESSAGES) == [["user", "[image 1]Which?"]]


def test_only_finished_trials_on_the_same_basis_count(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    journal = Journal(folder)
    journal.add_trial("c/0/a", "b1", [KEY])
    journal.add_trial("c/0/a", "b1", [KEY])
    journal.add_trial("c/0/b", "b1", [], Failure("media", "gone"))
    assert journal.finished("c/0/a", "b1")
    assert not journal.finished("c/0/a", "b2")
    assert not journal.finished("c/0/b", "b1")
    journal.close()
    assert len(list(read_log(folder.trials))) == 2, "the repeated line is not written"
    assert Journal(folder).finished("c/0/a", "b1")


@pytest.mark.parametrize("reopened", [False, True])
def test_a_trial_that_failed_in_between_is_written_again(tmp_path: Path, reopened: bool) -> None:
    folder = folder_in(tmp_path)
    journal = Journal(folder)
    journal.add_trial("c/0/a", "b1", [KEY])
    journal.add_trial("c/0/a", "b1", [], Failure("media", "gone for a while"))
    if reopened:
        journal.close()
        journal = Journal(folder)
    assert not journal.finished("c/0/a", "b1")
    journal.add_trial("c/0/a", "b1", [KEY])
    journal.close()
    last = [record for _, record in read_log(folder.trials)][-1]
    assert "failure" not in last


def test_a_foreign_line_is_named_by_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"a":1}\nnot json\n{"b":2}\n')
    with pytest.raises(HarnessError, match=r"log\.jsonl:2: not a JSON line"):
        list(read_log(path))


def test_a_full_disk_leaves_whole_lines_and_one_clear_error(tmp_path: Path) -> None:
    """A file size limit fails a write as a full disk does, for root as well."""
    path = tmp_path / "log.jsonl"
    log = AppendLog(path)
    log.append({"text": "x" * 100})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(HarnessError, match=r"cannot write .*log\.jsonl") as caught:
            log.append({"text": "y" * 500})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "same command again" in caught.value.hint
    log.append({"text": "z"})
    log.close()
    assert [record["text"][0] for _, record in read_log(path)] == ["x", "z"]


def test_an_atomic_write_that_fails_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_atomically(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(HarnessError, match=r"cannot write .*manifest\.json"):
            write_atomically(path, b"n" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HarnessError, match="cannot make the run folder") as caught:
        RunFolder(tmp_path / "file" / "run").create()
    assert "--out" in caught.value.hint


def test_two_processes_do_not_write_one_folder(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    with folder.locked(), pytest.raises(HarnessError, match="another process"), folder.locked():
        pass


def test_lines_hold_no_more_than_they_say(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    journal = Journal(folder)
    journal.add_reply(Generation(KEY, "x", "stop", Usage(1, 2), 0.5), MESSAGES)
    journal.close()
    (line,) = folder.generations.read_text().splitlines()
    assert sorted(json.loads(line)) == ["conversation", "finish", "key", "latency", "text", "usage"]


def test_conversations_are_told_apart_however_many_there_are(tmp_path: Path) -> None:
    """Names are remembered for a few; the rest, and text that looks like a picture's, keep theirs."""
    journal = Journal(folder_in(tmp_path))
    said = [*(f"question {number}" for number in range(NAMES_HELD + 20)), "[image 1]", "question 3"]
    for number, text in enumerate(said):
        generation = Generation(f"{number:032x}", "fear", "stop")
        journal.add_reply(generation, (Message("user", (Text(text),)),))
    picture = Image("p", b"p")
    journal.add_reply(Generation("f" * 32, "fear", "stop"), (Message("user", (picture,)),))
    journal.close()
    names = [line["conversation"] for _, line in read_log(folder_in(tmp_path).generations)]
    kept = {line["id"]: line["turns"] for _, line in read_log(folder_in(tmp_path).conversations)}
    assert [kept[name] for name in names[:-1]] == [[["user", text]] for text in said]
    assert names[-2] == names[3]
    assert len(kept) == NAMES_HELD + 21


def test_a_missing_folder_is_named_as_what_stops_a_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.html").mkdir()
    for place, words in (
        ("absent/x.html", "there is no folder .*absent"),
        ("file/x.html", "file is a file, not a folder"),
        ("folder.html", "it is a folder"),
    ):
        with pytest.raises(HarnessError, match=words) as caught:
            write_atomically(tmp_path / place, b"")
        assert "disk space" not in caught.value.hint
