"""Calls of tools read off replies: a golden table, and what holds of any text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.core.message import ToolCall
from harness.core.protocol import Reply
from harness.protocols.calls import READERS, WAYS, Malformed, Way, within_thoughts
from harness.protocols.strays import find_stray

TABLE = Path(__file__).parents[1] / "golden" / "calls.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in TABLE.read_text().splitlines()]


TOOLS = {
    "zoom": ("region", "box", "frame"), "measure": ("unit", "frame"), "landmarks": ("frame",), "head_pose": ("frame",),
    "facs": ("unit",), "contrast": ("amount", "frame"), "frame": ("n", "moment"),
}  # fmt: skip
"""What is offered in the rows of the table."""


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 200
    assert {row["way"] for row in ROWS} == {*WAYS}
    assert len({(row["way"], row["reply"]) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("way", WAYS)
def test_replies_are_read_as_the_table_says(way: str) -> None:
    wrong = []
    for row in ROWS:
        if row["way"] != way:
            continue
        given = tuple(ToolCall(*one) for one in row.get("given", ()))
        found = READERS[row["way"]](Reply(row["reply"], calls=given), TOOLS)
        calls = [
            "malformed" if isinstance(one, Malformed) else [one.name, dict(one.arguments)]
            for one in found.calls
        ]
        got = (calls, found.answer, found.forged, found.cut)
        wanted = (row["calls"], row["answer"], row.get("forged", False), row.get("cut", False))
        if got != wanted:
            wrong.append((row["reply"], got, wanted))
    assert not wrong, wrong[:3]


def texts(value: Any) -> Iterator[str]:
    """Every text of a golden table of answers."""
    if isinstance(value, str):
        yield value
    for one in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from texts(one)


def test_no_answer_of_the_golden_tables_is_taken_for_a_call() -> None:
    """The tools have names that are words of English: frame, measure, contrast, flow."""
    found = {
        text
        for path in sorted((TABLE.parent / "answers").glob("*.yaml"))
        for text in texts(yaml.safe_load(path.read_text("utf-8")))
    }
    assert len(found) > 1000
    assert not [text for text in found if find_stray(text, TOOLS)]


PIECES = (
    "<tool_call>", "</tool_call>", "<tool_response>", '{"name": "zoom", "arguments": {}}', "{", "}", '"', "Action: zoom\n",
    "Action Input: {}", "Final Answer: anger", "Observation:", "```", "\n", "anger", '{"answer": "anger"}', '{"call": ',
    "<|im_end|>", "[INST]", "[zoom(", ")]", "\uff5c", "\"zoom\"", "[", "zoom",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=12).map("".join))
def test_any_text_is_read_and_no_control_token_is_handed_on(way: str, text: str) -> None:
    found = READERS[way](text, TOOLS)  # type: ignore[index]
    left = found.kept.replace("<tool_call>", "").replace("</tool_call>", "")
    assert "<|im_end|>" not in left
    assert "<tool_response>" not in found.kept
    assert "[INST]" not in left
    if found.cut:
        assert isinstance(found.calls[-1], Malformed)


def test_a_call_within_thoughts_alone_is_told_so() -> None:
    call = '<tool_call>{"name": "zoom", "arguments": {"region": "mouth"}}</tool_call>'
    found = within_thoughts(Reply("", thoughts=f"Let me look. {call}"), "text", TOOLS)
    assert found is not None
    assert [isinstance(one, Malformed) for one in found.calls] == [True]
    assert found.answer == ""
    for reply in (
        Reply("anger", thoughts=call),
        Reply("", thoughts="a smile"),
        Reply("", thoughts=call, finish="length"),
        Reply("", thoughts=call, calls=(ToolCall("zoom", "{}"),)),
        Reply("", thoughts=""),
    ):
        assert within_thoughts(reply, "text", TOOLS) is None


@pytest.mark.parametrize("way", WAYS)
def test_thoughts_without_a_call_are_none_in_any_way(way: Way) -> None:
    for thoughts in ("The corners of the mouth are raised, so happy.", '{"answer": "anger"}'):
        assert within_thoughts(Reply("", thoughts=thoughts), way, TOOLS) is None
    call = '{"call": {"name": "zoom", "arguments": {"region": "mouth"}}}'
    found = within_thoughts(Reply("", thoughts=call), "json", TOOLS)
    assert found is not None
    assert isinstance(found.calls[0], Malformed)


def test_a_long_reply_takes_little_time() -> None:
    for piece in (
        "[",
        "{",
        '{"name": ',
        "zoom(",
        "zoom {",
        "<",
        "zoom\n",
        "[zoom(",
        "print(",
        '{"a": 1} ',
    ):
        assert read_in_time(piece * (40_000 // len(piece))) < 2, piece  # fmt: skip


def read_in_time(text: str) -> float:
    begin = process_time()
    for way in WAYS:
        READERS[way](text, TOOLS)
    return process_time() - begin
