"""The HTTP adapter against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.core.generation import Generation, Usage
from harness.core.message import Image, Message, Text
from harness.core.request import Request, Sampling, make_request
from harness.models.http.endpoint import parse_endpoint
from harness.models.http.model import OpenAIModel
from harness.models.http.served import Served, ask_served
from harness.models.registry import OpenOptions, open_model
from harness.models.retry import Patience
from tests.models.stub import Stub, contents, running_stub

QUICK = Patience(base=0.001, cap=0.002, most=0.3, timeout=5.0, give_up_after=0.3)
JPEG = b"\xff\xd8\xff\xe0 not a real picture, but sent as it stands \x00\xff"


def ask(text: str = "hello", *, image: bytes | None = None, **sampling: Any) -> Request:
    parts = (Text(text),) if image is None else (Image("one.jpg", image), Text(text))
    return make_request((Message("user", parts),), Sampling(**sampling), model="stub")


@asynccontextmanager
async def opened(stub: Stub, patience: Patience = QUICK) -> AsyncIterator[OpenAIModel]:
    endpoint = parse_endpoint(f"stub@{stub.url}", allow_remote=frozenset())
    served = await asyncio.to_thread(ask_served, endpoint)
    model = OpenAIModel(endpoint, served, name="openai:stub", patience=patience)
    try:
        yield model
    finally:
        await model.close()


async def reply(stub: Stub, request: Request, patience: Patience = QUICK) -> Generation:
    async with opened(stub, patience) as model:
        return await model.reply(request)


async def test_a_reply_carries_text_finish_usage_key_and_time() -> None:
    with running_stub(answer=lambda body: "joy \u00e9", latency=0.02) as stub:
        request = ask()
        got = await reply(stub, request)
    assert (got.key, got.text, got.finish) == (request.key, "joy \u00e9", "stop")
    assert got.usage == Usage(11, 2)
    assert 0.02 <= got.latency < 5


async def test_the_body_is_the_conversation_in_order_with_the_files_own_bytes() -> None:
    messages = (
        Message("system", (Text('You "see"\n'),)),
        Message(
            "user",
            (Text("first "), Text("this:"), Image("a", JPEG), Image("b", b"BM.."), Text("?")),
        ),
        Message("assistant", (Text("fear"),)),
        Message("user", (Text("sure \ud83d\ude00?"),)),
    )
    with running_stub() as stub:
        await reply(stub, make_request(messages, Sampling(), model="stub"))
        sent = stub.requests[0]["messages"]
        assert contents(stub.requests[0])[1] == [JPEG, b"BM.."]
    assert [turn["role"] for turn in sent] == ["system", "user", "assistant", "user"]
    assert sent[0]["content"] == 'You "see"\n'
    kinds = [part["type"] for part in sent[1]["content"]]
    assert kinds == ["text", "image_url", "image_url", "text"]
    assert sent[1]["content"][0]["text"] == "first this:"
    urls = [part["image_url"]["url"] for part in sent[1]["content"][1:3]]
    assert urls[0].startswith("data:image/jpeg;base64,")
    assert urls[1].startswith("data:image/bmp;base64,")


async def test_every_sampling_parameter_is_sent() -> None:
    chosen = {"temperature": 0.7, "top_p": 0.9, "seed": 5, "repetition_penalty": 1.1}
    with running_stub() as stub:
        await reply(stub, ask(**chosen, top_k=40, max_tokens=9))
        await reply(stub, ask())
        full, bare = stub.requests
    assert {name: full[name] for name in chosen} == chosen
    assert (full["top_k"], full["max_tokens"], full["model"]) == (40, 9, "stub")
    assert (bare["temperature"], bare["top_p"], bare["top_k"]) == (0, 1, -1)
    assert (bare["repetition_penalty"], bare["seed"], bare["max_tokens"]) == (1, 0, 256)
    assert "stream" not in bare


@pytest.mark.parametrize(
    "fault",
    ["500", "502", "503", "429", "408", "drop", "garbage", "missing", "blank", "truncated"],
)
async def test_a_passing_fault_is_asked_again(fault: str) -> None:
    with running_stub(faults={"hello": [fault, fault]}, answer=lambda body: "ok") as stub:
        got = await reply(stub, ask())
        assert stub.count == 3
        assert stub.raw[0] == stub.raw[1] == stub.raw[2]
    assert (got.text, got.failure) == ("ok", None)


@pytest.mark.parametrize(
    ("fault", "kind", "word"),
    [
        ("500", "server", "stub fault 500"),
        ("503", "server", "HTTP 503"),
        ("drop", "unreachable", "127.0.0.1"),
        ("truncated", "unreachable", "127.0.0.1"),
        ("garbage", "bad-reply", "not JSON"),
        ("blank", "bad-reply", "not JSON"),
        ("missing", "bad-reply", "choices"),
    ],
)
async def test_a_lasting_fault_fails_after_five_tries(fault: str, kind: str, word: str) -> None:
    with running_stub(always={"": fault}) as stub:
        got = await reply(stub, ask())
        assert stub.count == 5
    assert got.finish == "failed" and got.text == ""
    assert got.failure is not None
    assert got.failure.kind == kind
    assert word in got.failure.detail and "5 tries" in got.failure.detail


async def test_a_silent_server_times_out() -> None:
    with running_stub(always={"": "hang"}) as stub:
        got = await reply(stub, ask(), Patience(tries=2, base=0.001, timeout=0.5))
        await asyncio.to_thread(stub.catch_up)
        assert stub.count == 2
    assert got.failure is not None and got.failure.kind == "timeout"


@pytest.mark.parametrize("fault", ["context", "400", "413", "422"])
async def test_a_refused_request_fails_once_with_the_servers_words(fault: str) -> None:
    with running_stub(always={"": fault}) as stub:
        got = await reply(stub, ask())
        assert stub.count == 1
    assert got.failure is not None and got.failure.kind == "rejected"
    said = "maximum context length" if fault == "context" else f"stub fault {fault}"
    assert said in got.failure.detail


@pytest.mark.parametrize("fault", ["401", "403", "404", "redirect"])
async def test_where_no_request_can_succeed_it_raises(fault: str) -> None:
    with running_stub(always={"": fault}) as stub:
        with pytest.raises(HarnessError) as caught:
            await reply(stub, ask())
        assert stub.count == 1
    assert caught.value.hint
    if fault != "redirect":
        assert f"stub fault {fault}" in caught.value.message


@pytest.mark.parametrize(
    ("fault", "text", "finish"),
    [
        ("null", "", "stop"),
        ("empty", "", "stop"),
        ("length", "word", "length"),
        ("filter", "word", "filtered"),
        ("refuse", "I can't help with identifying people.", "stop"),
    ],
)
async def test_odd_replies_are_replies(fault: str, text: str, finish: str) -> None:
    with running_stub(always={"": fault}, answer=lambda body: "word") as stub:
        got = await reply(stub, ask())
        assert stub.count == 1
    assert (got.text, got.finish, got.failure) == (text, finish, None)


async def test_retry_after_is_waited_for() -> None:
    with running_stub(faults={"hello": ["429"]}, retry_after="0.2") as stub:
        assert (await reply(stub, ask())).failure is None
        assert stub.times[1] - stub.times[0] >= 0.2
        stub.reset()

        def dated(body: object) -> str:
            later = datetime.now(UTC) + timedelta(seconds=2)
            stub.retry_after = format_datetime(later, usegmt=True)
            return "ok"

        stub.choose = dated
        patient = Patience(base=0.001, most=5)
        assert (await reply(stub, ask(), patient)).failure is None
        assert stub.times[1] - stub.times[0] >= 0.9, "a date has whole seconds"


async def test_who_is_told_to_wait_too_long_does_not_knock_again() -> None:
    with running_stub(always={"": "429"}, retry_after="3600") as stub:
        got = await reply(stub, ask())
        assert stub.count == 1
    assert got.failure is not None and got.failure.kind == "rate-limit"


async def test_a_server_that_refuses_the_excess_answers_all_in_the_end() -> None:
    with running_stub(latency=0.01) as stub:
        stub.choose = lambda body: "429" if stub.in_flight > 6 else "ok"
        async with opened(stub, Patience(tries=8, base=0.02, cap=0.2)) as model:
            got = await asyncio.gather(*(model.reply(ask(str(i))) for i in range(200)))
            assert model._exchange.gate.pace.level < 16
        assert stub.count < 400
    assert sum(one.failure is not None for one in got) == 0


async def test_many_requests_fly_at_once_and_each_gets_its_own_reply() -> None:
    with running_stub(answer=lambda body: contents(body)[0][::-1], together=32) as stub:
        async with opened(stub) as model:
            texts = [f"question {i}" for i in range(160)]
            got = await asyncio.gather(*(model.reply(ask(text)) for text in texts))
        assert [one.text for one in got] == [text[::-1] for text in texts]
        assert 32 <= stub.peak <= 64 == model.card.window
        assert stub.count == 160


async def test_as_many_as_were_asked_for_are_in_flight_from_the_first() -> None:
    peaks = {}
    for concurrency in (None, 48):
        with running_stub(latency=0.5) as stub:
            options = OpenOptions(concurrency=concurrency)
            model = await asyncio.to_thread(open_model, f"openai:stub@{stub.url}", options=options)
            stub.peak = 0
            await asyncio.gather(*(model.reply(ask(str(i))) for i in range(48)))
            await model.close()
            peaks[concurrency] = stub.peak
    assert peaks[48] == 48 and peaks[None] < 48


async def test_waiting_for_a_free_connection_is_no_part_of_the_timeout() -> None:
    """Those that wait longest wait for more than two seconds; each reply takes a twentieth of one."""
    with running_stub(latency=0.05) as stub:
        endpoint = parse_endpoint(f"stub@{stub.url}", allow_remote=frozenset())
        patience = Patience(tries=1, timeout=2.0)
        model = OpenAIModel(endpoint, Served(), name="openai:stub", patience=patience, window=1)
        got = await asyncio.gather(*(model.reply(ask(str(i))) for i in range(42)))
        await model.close()
        assert stub.peak == 1 and stub.times[-1] - stub.times[0] > 2.0
    assert all(one.failure is None and one.latency < 2.0 for one in got)


async def test_one_bad_request_leaves_its_neighbours_alone() -> None:
    with running_stub(always={"bad": "400"}, answer=lambda body: "fine") as stub:
        async with opened(stub) as model:
            got = await asyncio.gather(
                *(model.reply(ask("bad" if i == 3 else f"good {i}")) for i in range(8))
            )
    assert [one.failure is None for one in got] == [i != 3 for i in range(8)]


@pytest.mark.parametrize("name", ["top_k", "repetition_penalty", "seed"])
async def test_an_unknown_neutral_parameter_is_left_out_from_then_on(name: str) -> None:
    with running_stub(always={"": f"unknown:{name}"}) as stub:
        async with opened(stub) as model:
            assert "dropped" not in model.card.details
            first, second = await model.reply(ask("a")), await model.reply(ask("b"))
            assert model.card.details["dropped"] == name
        assert stub.count == 3
        assert [name in body for body in stub.requests] == [True, False, False]
    assert first.failure is None and second.failure is None


async def test_many_in_flight_learn_of_an_unknown_parameter_together() -> None:
    with running_stub(always={"": "unknown:top_k"}, latency=0.02) as stub:
        async with opened(stub) as model:
            got = await asyncio.gather(*(model.reply(ask(str(i))) for i in range(20)))
    assert all(one.failure is None for one in got)


async def test_max_tokens_goes_by_its_newer_name_where_the_old_is_refused() -> None:
    with running_stub(always={"": "unknown:max_tokens"}) as stub:
        got = await reply(stub, ask(max_tokens=7))
        assert stub.requests[1]["max_completion_tokens"] == 7
    assert got.failure is None


async def test_a_parameter_that_matters_is_never_left_out() -> None:
    with (
        running_stub(always={"": "unknown:temperature"}) as stub,
        pytest.raises(HarnessError, match="temperature"),
    ):
        await reply(stub, ask(temperature=0.0))


async def test_a_large_picture_arrives_whole() -> None:
    big = JPEG + bytes(range(256)) * 8000
    with running_stub(faults={"hello": ["500"]}) as stub:
        got = await reply(stub, ask(image=big))
        assert [contents(body)[1] for body in stub.requests] == [[big], [big]]
    assert got.failure is None


async def test_a_lone_surrogate_in_a_reply_can_be_written_down() -> None:
    with running_stub(answer=lambda body: "half \ud83d here") as stub:
        got = await reply(stub, ask())
    assert json.loads(got.text.encode().decode().join('""')).startswith("half ")


async def test_a_loopback_server_is_never_reached_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with running_stub(answer=lambda body: "direct") as stub:
        assert (await reply(stub, ask())).text == "direct"


async def test_a_key_is_sent_as_bearer_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with running_stub(key="sk-secret") as stub:
        async with opened(stub) as model:
            assert (await model.reply(ask())).failure is None
            assert "sk-secret" not in repr(model.card)
            assert "sk-secret" not in repr(model._endpoint)
        monkeypatch.setenv("OPENAI_API_KEY", "wrong")
        with pytest.raises(HarnessError, match="key"):
            await reply(stub, ask())


@pytest.mark.parametrize("fault", ["echo", "echo-reply"])
async def test_a_server_that_repeats_the_key_is_not_repeated(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-0123456789")
    with running_stub(always={"": fault}) as stub:
        got = await reply(stub, ask(), Patience(tries=1))
    said = got.text + (got.failure.detail if got.failure else "")
    assert "Bearer ***" in said and "canary" not in said


def test_the_card_names_endpoint_served_model_and_version() -> None:
    with running_stub() as stub:
        card = open_model(f"openai:stub@{stub.url}").card
        again = open_model(f"openai:stub@{stub.url}/v1").card
        stub.version = "0.1"
        newer = open_model(f"openai:stub@{stub.url}").card
        assert card.name == f"openai:stub@{stub.url}"
        assert f"{stub.url}/v1" in card.identity
    assert card.identity == again.identity != newer.identity
    for word in ("stub", "/weights/stub", "0.0.stub"):
        assert word in card.identity
    assert card.details["max_model_len"] == "4096"


def test_a_model_that_is_not_served_is_named_with_those_that_are() -> None:
    with running_stub() as stub, pytest.raises(HarnessError) as caught:
        open_model(f"openai:other@{stub.url}")
    assert "`other`" in caught.value.message and "listed: stub" in caught.value.hint


def test_an_absent_server_is_named_with_how_to_start_one() -> None:
    with running_stub() as stub:
        url = stub.url
    with pytest.raises(HarnessError) as caught:
        open_model(f"openai:qwen@{url}")
    assert url in caught.value.message and "vllm serve" in caught.value.hint
