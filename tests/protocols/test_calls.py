"""Calls of tools read off replies: a golden table, and what holds of any text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.message import ToolCall
from harness.core.protocol import Reply
from harness.protocols.calls import READERS, WAYS, Malformed

TABLE = Path(__file__).parents[1] / "golden" / "calls.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in TABLE.read_text().splitlines()]


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
        found = READERS[row["way"]](Reply(row["reply"], calls=given))
        calls = [
            "malformed" if isinstance(one, Malformed) else [one.name, dict(one.arguments)]
            for one in found.calls
        ]
        got = (calls, found.answer, found.forged, found.cut)
        wanted = (row["calls"], row["answer"], row.get("forged", False), row.get("cut", False))
        if got != wanted:
            wrong.append((row["reply"], got, wanted))
    assert not wrong, wrong[:3]


PIECES = (
    "<tool_call>", "</tool_call>", "<tool_response>", '{"name": "zoom", "arguments": {}}', "{", "}", '"', "Action: zoom\n",
    "Action Input: {}", "Final Answer: anger", "Observation:", "```", "\n", "anger", '{"answer": "anger"}', '{"call": ',
    "<|im_end|>", "[INST]",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=12).map("".join))
def test_any_text_is_read_and_no_control_token_is_handed_on(way: str, text: str) -> None:
    found = READERS[way](text)  # type: ignore[index]
    left = found.kept.replace("<tool_call>", "").replace("</tool_call>", "")
    assert "<|im_end|>" not in left
    assert "<tool_response>" not in found.kept
    assert "[INST]" not in left
    if found.cut:
        assert isinstance(found.calls[-1], Malformed)
