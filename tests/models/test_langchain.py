"""LangChain's ChatOpenAI against the local server, and LangChain's own fake models."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.core.constraint import Constraint
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Image, Message, Text
from harness.core.model import Probing
from harness.core.request import Request, Sampling, make_request
from harness.models.http.rate_limit import Allowance
from harness.models.langchain.model import LangChainModel
from harness.models.langchain.providers import parse_named
from harness.models.registry import OpenOptions, open_model
from harness.models.retry import Patience
from tests.models.abilities import able
from tests.models.films import film
from tests.models.stub import Stub, contents, running_stub

pytest.importorskip("langchain")
pytest.importorskip("langchain_openai")
PNG = b"\x89PNG\r\n\x1a\n and so on"
HASTE = Patience(tries=3, base=0.001, cap=0.002, timeout=1.0, give_up_after=0.0)


def ask(text: str = "hello", *, pictures: int = 1, **sampling: Any) -> Request:
    images = tuple(Image(f"picture {i}", PNG + bytes([i])) for i in range(pictures))
    turns = (
        Message("system", (Text("Be brief."),)),
        Message("user", (*images, Text("Say: "), Text(text))),
    )
    return make_request(turns, Sampling(**{"max_tokens": 7, **sampling}), model="x")


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_API_BASE",
        "OPENAI_PROXY",
        "HTTP_PROXY",
        "http_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stub(clean: None) -> Iterator[Stub]:
    with running_stub() as running:
        yield running


def opened(stub: Stub, patience: Patience = HASTE, **options: Any) -> LangChainModel:
    model = open_model(f"langchain:openai:stub@{stub.url}", options=OpenOptions(**options))
    assert isinstance(model, LangChainModel)
    model._patience = patience
    model._allowance = Allowance(
        give_up_after=patience.give_up_after, base=patience.base, cap=patience.cap
    )
    return model


async def test_the_server_sees_every_turn_picture_and_parameter(stub: Stub) -> None:
    got = await opened(stub).reply(ask("what is this?", pictures=2))
    assert got.failure is None and got.finish == "stop" and got.text
    assert (got.usage.prompt_tokens, got.usage.completion_tokens) == (11, 2)
    assert got.latency > 0
    (body,) = stub.requests
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    texts, pictures = contents(body)
    assert texts == "Be brief.\nSay: what is this?"
    assert pictures == [PNG + b"\0", PNG + b"\1"]
    assert body["messages"][1]["content"][0]["image_url"]["url"].startswith(
        "data:image/png;base64,"
    )
    wanted = {"temperature": 0.0, "top_p": 1.0, "top_k": -1, "repetition_penalty": 1.0, "seed": 0}
    assert {name: body[name] for name in wanted} == wanted
    assert body["max_completion_tokens"] == 7
    assert not body.get("stream")


async def test_requests_with_other_sampling_do_not_share_it(stub: Stub) -> None:
    model = opened(stub)
    await asyncio.gather(
        model.reply(ask(temperature=0.7, top_p=0.9, top_k=5, seed=3, repetition_penalty=1.1)),
        model.reply(ask(max_tokens=99)),
    )
    bodies = sorted(stub.requests, key=lambda body: body["max_completion_tokens"])
    first = {"temperature": 0.7, "top_p": 0.9, "top_k": 5, "seed": 3, "repetition_penalty": 1.1}
    assert {name: bodies[0][name] for name in first} == first
    assert bodies[1]["temperature"] == 0.0 and bodies[1]["max_completion_tokens"] == 99


async def test_the_card_says_what_is_asked_and_how(stub: Stub) -> None:
    card = opened(stub).card
    assert card.identity == f"langchain openai stub {stub.url}/v1 /weights/stub 0.0.stub"
    assert card.details["class"] == "ChatOpenAI" and card.details["hosts"] == "127.0.0.1"
    assert card.details["not_sent"] == ""


@pytest.mark.parametrize(
    ("fault", "kind", "seen"),
    [
        ("500", "server", 3),
        ("429", "rate-limit", 1),
        ("503", "server", 3),
        ("drop", "unreachable", 3),
        ("hang", "timeout", 3),
        ("garbage", "bad-reply", 3),
        ("missing", "bad-reply", 3),
        ("400", "rejected", 1),
        ("context", "rejected", 1),
    ],
)
async def test_what_goes_wrong_has_a_kind_and_is_tried_again_where_that_may_help(
    stub: Stub, fault: str, kind: str, seen: int
) -> None:
    stub.always = {"": fault}
    patience = replace(HASTE, timeout=0.5 if fault == "hang" else 60.0)
    got = await opened(stub, patience).reply(ask())
    assert got.failure is not None, got
    await asyncio.to_thread(stub.catch_up)
    assert (got.failure.kind, stub.count) == (kind, seen), got.failure
    assert got.finish == "failed" and got.text == ""


async def test_a_passing_fault_costs_a_try_and_nothing_else(stub: Stub) -> None:
    stub.faults = {"hello": ["500", "429"]}
    got = await opened(stub, replace(HASTE, give_up_after=5.0)).reply(ask())
    assert got.failure is None and stub.count == 3


@pytest.mark.parametrize(
    ("status", "word"),
    [("401", "key"), ("403", "key"), ("404", "address"), ("redirect", "address")],
)
async def test_what_no_request_survives_stops_the_run(stub: Stub, status: str, word: str) -> None:
    model = opened(stub)
    stub.always = {"": status}
    with pytest.raises(HarnessError, match="HTTP") as caught:
        await model.reply(ask())
    assert word in caught.value.hint and stub.count == 1


@pytest.mark.parametrize(
    ("fault", "finish", "text"),
    [("length", "length", None), ("filter", "filtered", None), ("empty", "stop", ""), ("null", "stop", "")],
)  # fmt: skip
async def test_finish_reasons_and_empty_replies(
    stub: Stub, fault: str, finish: str, text: str | None
) -> None:
    stub.always = {"": fault}
    got = await opened(stub).reply(ask())
    assert got.failure is None and got.finish == finish
    assert got.text == text if text is not None else got.text


async def test_a_parameter_the_server_does_not_know_is_left_out_if_that_changes_nothing(
    stub: Stub,
) -> None:
    model = opened(stub)
    stub.always = {"": "unknown:top_k"}
    assert (await model.reply(ask())).failure is None
    assert model.card.details["dropped"] == "top_k" and stub.count == 2
    assert "top_k" not in stub.requests[1]
    assert (await model.reply(ask())).failure is None and stub.count == 3
    stub.always = {"": "unknown:temperature"}
    with pytest.raises(HarnessError, match="temperature, which is set to 0"):
        await model.reply(ask())


async def test_keys_come_from_the_environment_or_a_file(
    monkeypatch: pytest.MonkeyPatch, clean: None, tmp_path: Any
) -> None:
    with running_stub(key="sesame") as stub:
        with pytest.raises(HarnessError, match="rejected the key"):
            opened(stub)
        file = tmp_path / "key"
        file.write_text("sesame\n")
        file.chmod(0o600)
        assert (await opened(stub, key_file=file).reply(ask())).failure is None
        monkeypatch.setenv("OPENAI_API_KEY", "sesame")
        model = opened(stub)
        assert (await model.reply(ask())).failure is None
        shown = f"{model.card} {model.card.details}"
        assert "sesame" not in shown


@pytest.mark.parametrize("fault", ["echo", "echo-reply"])
async def test_a_key_that_a_server_repeats_goes_no_further(
    monkeypatch: pytest.MonkeyPatch, clean: None, fault: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-of-the-mine")
    with running_stub(key="canary-of-the-mine", always={"": fault}) as stub:
        got = await opened(stub).reply(ask())
    assert "***" in (got.text or (got.failure and got.failure.detail) or "")
    assert "canary" not in repr(got)


async def test_how_many_pictures_are_taken_is_learnt_from_the_refusal(stub: Stub) -> None:
    model = raising([Refuses(400, "At most 1 image(s) may be provided in one prompt."), "ok"])
    got = await model.reply(ask(pictures=2))
    assert got.failure is not None and got.failure.kind == "rejected"
    assert model.card.max_images == 1


def test_another_host_must_be_allowed(monkeypatch: pytest.MonkeyPatch, clean: None) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-7")
    with pytest.raises(HarnessError, match=r"sent from this machine to api\.openai\.com"):
        open_model("langchain:openai:gpt-4o")
    with pytest.raises(HarnessError, match=r"sent from this machine to faces\.example"):
        open_model("langchain:openai:gpt-4o@https://faces.example/v1")
    allowed = OpenOptions(allow_remote=frozenset({"api.openai.com"}))
    card = open_model("langchain:openai:gpt-4o", options=allowed).card
    assert card.details["hosts"] == "api.openai.com" and "canary-7" not in repr(card)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.example/v1")  # LangChain reads it
    with pytest.raises(HarnessError, match=r"elsewhere\.example"):
        open_model("langchain:openai:gpt-4o", options=allowed)


def test_a_proxy_of_the_machine_is_no_loopback(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(HarnessError, match="a proxy on this machine"):
        opened(stub)


@pytest.mark.parametrize(
    "spec",
    ["langchain:", "langchain:openai", "langchain:openai:", "langchain:openai:m@http://u:p@h/v1"],
)
def test_what_cannot_be_read_is_refused_without_repeating_a_password(
    spec: str, clean: None
) -> None:
    with pytest.raises(HarnessError) as caught:
        open_model(spec)
    assert "langchain:PROVIDER:MODEL" in caught.value.hint and ":p@" not in str(caught.value)


def test_a_provider_or_key_that_is_not_there_has_a_mend(clean: None) -> None:
    with pytest.raises(HarnessError, match="cannot create a chat model for nonsense:m") as caught:
        open_model("langchain:nonsense:m")
    assert "langchain:PROVIDER:MODEL" in caught.value.hint
    with pytest.raises(
        HarnessError, match="cannot create a chat model for openai:gpt-4o: OpenAIError"
    ):
        open_model("langchain:openai:gpt-4o")
    with pytest.raises(HarnessError, match="package that is not installed") as caught:
        open_model("langchain:fireworks:m")
    assert "pip install langchain-fireworks" in caught.value.hint


def test_without_the_extra_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    with pytest.raises(HarnessError, match="langchain is not installed") as caught:
        open_model("langchain:openai:gpt-4o")
    assert "[langchain]" in caught.value.hint


def test_models_may_name_colons_and_providers_dashes() -> None:
    named = parse_named("google-genai:models/gemini:free@http://127.0.0.1:1/v1/")
    assert (named.provider, named.model) == ("google_genai", "models/gemini:free")
    assert named.url == "http://127.0.0.1:1/v1"


def fake(messages: list[Any], **options: Any) -> LangChainModel:
    from langchain_core.language_models import GenericFakeChatModel

    chat = GenericFakeChatModel(messages=iter(messages))
    return LangChainModel(chat, name="fake", identity="fake", patience=HASTE, **options)


async def test_reasoning_and_refusals_are_kept_in_the_shapes_of_each_package() -> None:
    from langchain_core.messages import AIMessage

    anthropic = AIMessage(
        content=[
            {"type": "thinking", "thinking": "maybe anger", "signature": "s"},
            {"type": "text", "text": "fear"},
        ],
        response_metadata={"stop_reason": "end_turn", "model_name": "claude-x"},
    )
    openai = AIMessage(
        content=[{"type": "text", "text": "fear"}],
        additional_kwargs={"reasoning": {"summary": [{"type": "summary_text", "text": "anger?"}]}},
        response_metadata={"finish_reason": "stop", "system_fingerprint": "fp_1"},
        usage_metadata={
            "input_tokens": 5, "output_tokens": 9, "total_tokens": 14, "output_token_details": {"reasoning": 7},
        },
    )  # fmt: skip
    vllm = AIMessage(content="", additional_kwargs={"reasoning_content": "It is"},
                     response_metadata={"finish_reason": "length"})  # fmt: skip
    gemini = AIMessage(
        content="",
        response_metadata={"finish_reason": "SAFETY", "prompt_feedback": {"block_reason": 0}},
    )
    prompt = AIMessage(content="", response_metadata={"prompt_feedback": {"block_reason": "OTHER"}})
    model = fake([anthropic, openai, vllm, gemini, prompt])
    got = [await model.reply(ask()) for _ in range(5)]
    assert [one.reasoning for one in got] == ["maybe anger", "anger?", "It is", "", ""]
    assert [one.text for one in got] == ["fear", "fear", "", "", ""]
    assert [one.finish for one in got] == ["stop", "stop", "length", "filtered", "filtered"]
    assert [one.refusal and one.refusal.by for one in got] == [
        None,
        None,
        None,
        "platform",
        "platform",
    ]
    assert (got[0].served, got[1].fingerprint, got[1].usage.reasoning_tokens) == (
        "claude-x",
        "fp_1",
        7,
    )


async def test_a_platforms_filter_that_raises_is_an_outcome() -> None:
    flagged = Refuses(400, "The response was filtered due to the content management policy")
    got = await raising([flagged, "anger"]).reply(ask())
    assert got.failure is None and got.refusal is not None and got.refusal.by == "platform"


async def test_a_fake_model_of_langchain_answers_and_its_deafness_is_on_the_card() -> None:
    from langchain_core.messages import AIMessage

    blocks = [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "text", "text": "happi"},
        {"type": "text", "text": "ness\ud83d"},
    ]
    usage = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
    model = fake(
        [
            AIMessage(
                content=blocks, usage_metadata=usage, response_metadata={"stop_reason": "end_turn"}
            ),
            AIMessage(content="", additional_kwargs={"refusal": "I cannot."}),
            AIMessage(content="a", response_metadata={"finish_reason": "MAX_TOKENS"}),
            AIMessage(content="b", response_metadata={"stop_reason": "refusal"}),
            AIMessage(content="c", response_metadata={"done_reason": "length"}),
        ]
    )
    got = [await model.reply(ask()) for _ in range(5)]
    assert [g.text for g in got] == ["happiness?", "I cannot.", "a", "b", "c"]
    assert [g.finish for g in got] == ["stop", "stop", "length", "filtered", "length"]
    assert got[0].usage.prompt_tokens == 5 and got[0].usage.completion_tokens == 3
    assert model.card.details["not_sent"] == (
        "temperature, top_p, top_k, repetition_penalty, seed, max_tokens"
    )
    assert (await model.reply(ask())).failure is not None  # it has run out of answers


async def test_constraints_and_candidates_are_refused_rather_than_ignored() -> None:
    model = fake([])
    turns = (Message("user", (Text("?"),)),)
    wanted = [
        make_request(turns, Sampling(), model="x", candidates=("yes", "no")),
        make_request(turns, Sampling(), model="x", constraint=Constraint("choice", ("yes", "no"))),
    ]
    for request in wanted:
        got = await model.reply(request)
        assert got.failure is not None and got.failure.kind == "unsupported"


@pytest.mark.parametrize(
    ("spoken", "held"),
    [
        ({"structured_outputs"}, {"choice": "structured_outputs", "json": "structured_outputs"}),
        ({"response_format"}, {"choice": "response_format", "json": "response_format"}),
        (set(), {}),
    ],
)
async def test_a_class_that_can_carry_a_constraint_is_tried_as_its_server_is(
    clean: None, spoken: set[str], held: dict[str, str]
) -> None:
    with running_stub(**able(obeys=spoken), answer=lambda body: "Hello there.") as stub:
        model = opened(stub)
        assert isinstance(model, Probing)
        await model.probe(frozenset({"choice", "json", "logprob", "video"}))
        assert model.card.constraints == held
        assert model.card.offers == frozenset(held)
        await model.close()


async def test_a_held_reply_and_a_free_one_share_nothing(clean: None) -> None:
    turns = (Message("user", (Text("Which?"),)),)
    wanted = Constraint("choice", ("yes", "no"))
    asked = make_request(turns, Sampling(), model="x", constraint=wanted)
    with running_stub(**able(obeys={"structured_outputs"})) as stub:
        model = opened(stub)
        got = await model.reply(asked)
        free = await model.reply(make_request(turns, Sampling(), model="x"))
        assert (got.text, got.failure, free.failure) == ("no", None, None)
        held, unheld = stub.requests[-2:]
        assert held["structured_outputs"] == {"choice": ["yes", "no"]}
        assert "structured_outputs" not in unheld and held["top_k"] == unheld["top_k"] == -1
    with running_stub() as stub:
        got = await opened(stub).reply(asked)
    assert got.failure is not None and got.failure.kind == "unsupported"


async def test_videos_are_not_sent_by_langchain() -> None:
    turn = Message("user", (film(0, 1), Text("?")))
    got = await fake([]).reply(make_request((turn,), Sampling(), model="x"))
    assert got.failure is not None and got.failure.kind == "unsupported"


class Refuses(Exception):
    """As a provider's package might: a status, a response with headers."""

    def __init__(self, status: int, words: str, wait: str = "0") -> None:
        super().__init__(words)
        self.status_code = status
        self.response = type("Response", (), {"headers": {"retry-after": wait}})()


def raising(errors: list[Exception | str]) -> LangChainModel:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Scripted(BaseChatModel):
        temperature: float | None = None
        top_p: float | None = None
        max_output_tokens: int | None = None

        @property
        def _llm_type(self) -> str:
            return "scripted"

        def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
            said = errors.pop(0)
            if isinstance(said, Exception):
                raise said
            shown = f"{said} {self.temperature} {self.top_p} {self.max_output_tokens}"
            return ChatResult(generations=[ChatGeneration(message=AIMessage(content=shown))])

    return LangChainModel(Scripted(), name="scripted", identity="scripted", patience=HASTE)


async def test_what_a_class_takes_is_set_and_the_rest_is_recorded() -> None:
    model = raising(["ok"])
    assert (await model.reply(ask(max_tokens=9))).text == "ok 0.0 1.0 9"
    assert model.card.details["not_sent"] == "top_k, repetition_penalty, seed"


@pytest.mark.parametrize(
    ("error", "kind", "left"),
    [
        (Refuses(529, "overloaded"), "server", 0),
        (Refuses(429, "slow down", wait="3600"), "rate-limit", 2),
        (Refuses(413, "too large"), "rejected", 2),
        (ConnectionResetError("gone"), "unreachable", 0),
        (TimeoutError(), "timeout", 0),
        (type("ReadTimeout", (Exception,), {})("slow"), "timeout", 0),
        (type("ResourceExhausted", (Exception,), {})("quota"), "rate-limit", 2),
        (type("ContextOverflowError", (ValueError,), {})("too long"), "rejected", 2),
        (NotImplementedError("no pictures"), "unsupported", 2),
        (KeyError("choices"), "bad-reply", 0),
        (RuntimeError("odd"), "server", 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)  # fmt: skip
async def test_errors_of_any_package_are_read_by_their_shape(
    error: Exception, kind: str, left: int
) -> None:
    script: list[Exception | str] = [error] * 3
    got = await raising(script).reply(ask())
    assert got.failure is not None and got.failure.kind == kind and len(script) == left


async def test_a_harmless_parameter_beside_one_that_matters_is_dropped() -> None:
    words = "`temperature` and `top_p` cannot both be specified for this model."
    model = raising([Refuses(400, words), "ok"])
    assert (await model.reply(ask())).text == "ok 0.0 None 7"
    assert model.card.details["dropped"] == "top_p"


async def test_nothing_is_traced_whatever_the_environment_says(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_stub() as tracer:
        for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
            monkeypatch.setenv(name, "true")
        for name in ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"):
            monkeypatch.setenv(name, f"{tracer.url}/v1/models")
        monkeypatch.setenv("LANGSMITH_API_KEY", "canary")
        from langsmith import utils

        utils.get_env_var.cache_clear()
        try:
            assert utils.tracing_is_enabled()
            assert (await opened(stub).reply(ask())).failure is None
        finally:
            utils.get_env_var.cache_clear()
    assert tracer.count == 0


def test_one_model_serves_several_loops(stub: Stub) -> None:
    model = opened(stub)

    async def several() -> list[Generation]:
        replies = await asyncio.gather(*(model.reply(ask(str(i))) for i in range(4)))
        await model.close()
        return list(replies)

    for _ in range(3):
        assert all(got.failure is None for got in asyncio.run(several()))
    assert stub.count == 12
