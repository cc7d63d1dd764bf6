"""Replies in the shapes of many servers and model families, against a golden table of what each must become."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.answers.reader import Reader
from harness.answers.reasoning import find_parts, part, spoken
from harness.answers.vocabulary import resolve_labels
from harness.core.field import FieldSpec
from harness.core.generation import Generation
from harness.core.outcome import Outcome
from harness.models.http.completion import BadReply, ErrorBody, decode
from harness.models.http.http_errors import Blocked, judge
from harness.score.answer_parser import refused

SHAPES = yaml.safe_load(
    (Path(__file__).parents[1] / "golden" / "replies" / "shapes.yaml").read_text("utf-8")
)
READER = Reader.build(
    {"emotion": FieldSpec(kind="label", labels=resolve_labels("basic-7"), metrics=("uar",))}
)


def body_of(row: dict[str, Any]) -> bytes:
    if "raw" in row:
        return str(row["raw"]).encode()
    body = row.get("body")
    if body is None:
        choice = {"index": 0, "message": row["message"], "finish_reason": row.get("finish")}
        body = {"choices": [{**choice, **row.get("choice", {})}], "usage": row.get("usage", {})}
    return json.dumps(body).encode()


def read(generation: Generation) -> str:
    """The label that is read, or the outcome."""
    if generation.refusal is not None:
        return refused(generation.refusal).outcome.value
    answer = READER(generation.text, truncated=generation.finish == "length")["emotion"]
    return str(answer.value) if answer.outcome is Outcome.ANSWERED else answer.outcome.value


def error_of(row: dict[str, Any]) -> str:
    try:
        decode(body_of(row), most=256)
    except ErrorBody as error:
        outcome = judge(200, error.told, {}, place="here", succeeded=True)
        return "blocked" if isinstance(outcome, Blocked) else "failed"
    except BadReply:
        return "bad"
    return ""


@pytest.mark.parametrize("row", SHAPES, ids=[row["who"] for row in SHAPES])
def test_each_shape_becomes_what_the_table_says(row: dict[str, Any]) -> None:
    if "error" in row:
        assert error_of(row) == row["error"]
        return
    got = part(decode(body_of(row), most=row.get("most", 256)).generation("k"))
    told: dict[str, Any] = {"end": got.finish, "thought": got.reasoning, "text": got.text}
    told["refused"] = None if got.refusal is None else got.refusal.by
    told["reads"] = read(got)
    usage = got.usage
    told["tokens"] = [usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens]
    expected = {name: row[name] for name in told if name in row}
    assert {name: told[name] for name in expected} == expected
    assert (got.refusal is None) == ("refused" not in row)


def test_the_table_is_wide_enough() -> None:
    assert len(SHAPES) >= 60
    assert len({row["who"].split()[0] for row in SHAPES}) >= 15


PIECES = (
    "<think>", "</think>", "[THINK]", "[/THINK]", "\u25c1think\u25b7", "\u25c1/think\u25b7", "<|im_end|>", "fear",
    "<|channel|>final<|message|>", "<|channel>thought", "<channel|>", " ", "anger.", "analysisWe",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_parts_of_any_text_are_in_order_and_nothing_of_the_reasoning_is_spoken(text: str) -> None:
    parts = find_parts(text)
    ends = [place for span in parts.reasoning for place in span]
    assert ends == sorted(ends) and all(0 <= place <= len(text) for place in [*ends, parts.end])
    once = part(Generation("k", text, "stop"))
    if parts.reasoning:
        assert len(once.text) + sum(end - begin for begin, end in parts.reasoning) <= len(text)
    assert len(spoken(text)) <= len(text)


def streamed(*deltas: dict[str, Any]) -> bytes:
    pieces = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    pieces.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    return (
        b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in pieces) + b"data: [DONE]\n\n"
    )


def test_a_stream_of_very_many_calls_takes_little_time() -> None:
    pieces = [{"tool_calls": [part_of_call(n, "zoom", "{}")]} for n in range(20_000)]
    start = process_time()
    assert len(decode(streamed(*pieces)).calls) == 64
    assert process_time() - start < 5


def part_of_call(index: int, name: str | None, arguments: str) -> dict[str, Any]:
    named = {} if name is None else {"name": name}
    return {"index": index, "function": {**named, "arguments": arguments}}


@pytest.mark.parametrize(
    ("data", "calls"),
    [
        (
            streamed(
                {"role": "assistant", "content": None, "tool_calls": [part_of_call(0, "zoom", "")]},
                {"tool_calls": [part_of_call(0, None, '{"region": ')]},
                {
                    "tool_calls": [
                        part_of_call(0, None, '"mouth"}'),
                        part_of_call(1, "facs", '{"unit"'),
                    ]
                },
                {"tool_calls": [part_of_call(1, None, ": 4}")]},
            ),
            [("zoom", '{"region": "mouth"}'), ("facs", '{"unit": 4}')],
        ),
        (
            {"tool_calls": [{"function": {"name": "zoom", "arguments": {"region": "mouth"}}}]},
            [("zoom", '{"region": "mouth"}')],
        ),
        ({"function_call": {"name": "zoom", "arguments": "{}"}, "content": None}, [("zoom", "{}")]),
        ({"tool_calls": {"function": {"name": "zoom"}}}, [("zoom", "")]),
        ({"tool_calls": [3, {"function": "zoom"}]}, [("", "3"), ("", '{"function": "zoom"}')]),
        ({"tool_calls": [], "content": "anger"}, []),
        ({"tool_calls": None, "content": "anger"}, []),
    ],
)
def test_calls_of_tools_are_read_from_every_shape(data: Any, calls: list[tuple[str, str]]) -> None:
    if isinstance(data, dict):
        data = json.dumps({"choices": [{"message": {"role": "assistant", **data}}]}).encode()
    assert [(one.name, one.arguments) for one in decode(data).calls] == calls


WHOLE = '{"region": "mouth"}'
ONE, OTHER = ("zoom", WHOLE), ("facs", '{"unit": 4}')


def piece(name: str | None = None, arguments: Any = None, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"function": {"name": name, "arguments": arguments}, **more}]}


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([piece("zoom", ""), piece(None, WHOLE[:5]), piece(None, WHOLE[5:])], [ONE]),
        ([piece("zoom", "", id="a"), piece(None, WHOLE[:5], id="a"), piece("", WHOLE[5:], id="a")], [ONE]),
        ([piece(*ONE), piece(*OTHER)], [ONE, OTHER]),
        ([piece(*ONE, id="a"), piece(*OTHER, id="b")], [ONE, OTHER]),
        ([piece(*ONE, id="a", index=0), piece(*OTHER, id="b", index=0)], [ONE, OTHER]),
        ([piece("zoom", WHOLE[:5], index="0"), piece(None, WHOLE[5:], index="0")], [ONE]),
        ([piece("zoom", WHOLE[:5], index=0, id="a"), piece("zoom", WHOLE[5:], index=0, id="a")], [ONE]),
        ([piece("zoom", None, index=0), piece(None, WHOLE, index=0)], [ONE]),
        ([piece("zoom", {"region": "mouth"})], [ONE]),
        ([piece("zo", "", index=1), piece("om", WHOLE, index=1)], [ONE]),
        ([{"function_call": {"name": "zoom", "arguments": WHOLE[:5]}}, {"function_call": {"arguments": WHOLE[5:]}}], [ONE]),
        ([{"tool_calls": []}, {"content": "anger", "tool_calls": []}], []),
    ],
)  # fmt: skip
def test_pieces_of_calls_are_joined_whatever_numbers_them(
    pieces: list[dict[str, Any]], calls: list[tuple[str, str]]
) -> None:
    assert [(one.name, one.arguments) for one in decode(streamed(*pieces)).calls] == calls


@pytest.mark.parametrize("key", ["arguments", "parameters", "input", "args"])
def test_what_a_call_gives_is_not_lost_whatever_it_is_called(key: str) -> None:
    call = {"type": "tool_use", "name": "zoom", key: {"region": "mouth"}}
    for message in (
        {"tool_calls": [call]},
        {"content": [{"type": "text", "text": "I look"}, call]},
    ):
        body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
        assert [(one.name, one.arguments) for one in decode(body).calls] == [ONE]
