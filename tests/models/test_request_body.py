from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.generation import Usage
from harness.core.message import Image, Message, Text
from harness.core.request import Sampling, make_request
from harness.models.http.completion import BadReply, ErrorBody, decode
from harness.models.http.request_body import encode
from harness.models.http.server_messages import refused_parameter, words

TEXTS = st.builds(Text, st.text(max_size=12))
IMAGES = st.builds(lambda data: Image("i", data), st.binary(min_size=1, max_size=40))
MESSAGES = st.builds(
    lambda role, parts: Message(role, tuple(parts)),
    st.sampled_from(["system", "user", "assistant"]),
    st.lists(TEXTS | IMAGES, max_size=5),
)


def flat(content: Any) -> list[Any]:
    """Texts as strings, joined where neighbours, and pictures as (mime, bytes)."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    out: list[Any] = []
    for part in parts:
        if part["type"] == "text":
            out.append(part["text"])
        else:
            head, _, data = part["image_url"]["url"].partition(";base64,")
            out.append((head.removeprefix("data:"), base64.b64decode(data, validate=True)))
    return out


def expected(message: Message) -> list[Any]:
    out: list[Any] = []
    for part in message.parts:
        if isinstance(part, Image):
            out.append((part.mime, part.data))
        elif out and isinstance(out[-1], str):
            out[-1] += part.text
        else:
            out.append(part.text)
    return [one for one in out if one != ""]


@given(st.lists(MESSAGES, max_size=4))
def test_any_conversation_survives_the_wire(messages: list[Message]) -> None:
    request = make_request(tuple(messages), Sampling(), model="m")
    body = json.loads(encode(request, model='na"me'))
    assert body["model"] == 'na"me'
    assert [turn["role"] for turn in body["messages"]] == [m.role for m in messages]
    got = [[one for one in flat(turn["content"]) if one != ""] for turn in body["messages"]]
    assert got == [expected(message) for message in messages]


def test_dropped_parameters_are_absent_and_the_rest_present() -> None:
    request = make_request((), Sampling(), model="m")
    body = json.loads(encode(request, model="m", dropped=frozenset({"top_k", "max_tokens"})))
    assert "top_k" not in body and "max_tokens" not in body
    assert body["max_completion_tokens"] == 256 and body["top_p"] == 1


def test_what_is_added_stands_beside_parameters_and_messages() -> None:
    extra = {"structured_outputs": {"choice": ["ang\u00ear", '"'], "n": None}, "logprobs": True}
    for seed in (0, 1, 0):
        request = make_request((), Sampling(seed=seed), model="m")
        body = json.loads(encode(request, model="m", dropped=frozenset({"top_k"}), extra=extra))
        assert {name: body[name] for name in extra} == extra
        assert (body["seed"], body["messages"]) == (seed, []) and "top_k" not in body


def completion(**message: Any) -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (completion(content="fear"), "fear"),
        (completion(content=None), ""),
        (completion(content=None, refusal="I cannot."), "I cannot."),
        (completion(refusal="I cannot."), "I cannot."),
        (completion(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "ab"),
    ],
)
def test_content_in_its_several_forms(body: bytes, text: str) -> None:
    assert decode(body).text == text


@pytest.mark.parametrize("finish", [None, "stop", "eos", "tool_calls", 3, ["length"]])
def test_no_finish_reason_or_a_plain_one_is_a_stop(finish: object) -> None:
    body = {"choices": [{"message": {"content": "x"}, "finish_reason": finish}]}
    assert decode(json.dumps(body).encode()).finish == "stop"


@pytest.mark.parametrize(
    "usage", [None, [], "many", {"prompt_tokens": None}, {"prompt_tokens": "7"}, {"x": 1}]
)
def test_odd_usage_counts_nothing(usage: object) -> None:
    body = {"choices": [{"message": {"content": "x"}}], "usage": usage}
    assert decode(json.dumps(body).encode()).usage == Usage()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"3",
        b"null",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [null]}',
        b'{"choices": {"0": 1}}',
        b'{"choices": [{"message": {}}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": {"a": 1}}}]}',
        b'{"error": {"message": "no"}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_completion_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises((BadReply, ErrorBody)):
        decode(body)


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["choices", "message", "content", "error"]), inner)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_body_makes_reading_crash(body: bytes) -> None:
    assert isinstance(words(body), str)
    refused_parameter(body)
    with contextlib.suppress(BadReply, ErrorBody):
        decode(body)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Unrecognized request argument supplied: top_k", "top_k"),
        ("Unknown parameter: 'repetition_penalty'.", "repetition_penalty"),
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "max_tokens",
        ),
        ("Unsupported value: 'temperature' does not support 0 with this model.", "temperature"),
        ("seed: Extra inputs are not permitted", "seed"),
        ("[{'type': 'extra_forbidden', 'loc': ('body', 'top_k')}]", "top_k"),
        ("'max_tokens' is too large: 256. This model's maximum context length is 100", None),
        ("top_k must be -1 or at least 1", None),
        ("Unsupported image format. The conversation had a temperature", None),
        ("unknown model", None),
    ],
)
def test_the_refused_parameter_is_read_from_servers_words(message: str, name: str | None) -> None:
    assert refused_parameter(json.dumps({"error": {"message": message}}).encode()) == name


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "too\\nlong"}}', "too long"),
        (b'{"error": "plain"}', "plain"),
        (b'{"message": "old vllm"}', "old vllm"),
        (b'{"detail": "fastapi"}', "fastapi"),
        (b"<h1>Bad gateway</h1>", "Bad gateway"),
        (b"x" * 9000, "x" * 500),
    ],
)
def test_a_servers_words_are_found_and_kept_short(body: bytes, said: str) -> None:
    assert words(body) == said
