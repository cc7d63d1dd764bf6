"""`--batch` in the forms of Anthropic and Gemini: the same runs as in that of OpenAI (`tests/run/test_batch.py`)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.models.http.batch_anthropic import AnthropicBatches
from harness.models.http.batch_chat import read_chat
from harness.models.http.batch_gemini import GeminiBatches
from harness.models.http.completion import decode
from harness.models.http.endpoint import parse_endpoint
from harness.models.retry import Patience
from tests.models.other_batches import OtherServer, running_others
from tests.run.keeping import Desk, make_desk
from tests.run.test_batch import LEDGER, events

FORMS = ("anthropic", "gemini")
REPLIES = ("generations.jsonl", "trials.jsonl")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY0123456789")
    return make_desk(tmp_path)


def command(server: OtherServer, *more: str, verb: str = "run") -> list[str]:
    Path("harness.toml").write_text(
        f'[models.hosted]\nmodel = "openai:stub@{server.address}"\nbatch_api = "{server.form}"\n'
        "price = {input = 2, output = 10}\n"
    )
    return [verb, "task.yaml", "--model", "hosted", "--prompts", "prompts", *more]


def batched(server: OtherServer, *more: str, out: str = "run") -> int:
    asked = ("--batch", "--batch-poll", "0.01", "--no-report", "--out", out, *more)
    return main(command(server, *asked))


@pytest.mark.parametrize("form", FORMS)
def test_replies_and_costs_are_those_of_direct_requests(
    desk: Desk, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_others(form) as server:
        assert batched(server) == 0
        assert [len(one) for one in server.lines] == [12] and not server.direct
        assert server.keys == {"sk-CANARY0123456789"}
        assert any(f"{name}" in path for path in server.deleted for name in ("files", "batches"))
        assert not list(Path("run/private/batches").glob("*.requests.jsonl"))
        assert main(command(server, "--no-report", "--out", "other")) == 0
        assert len(server.direct) == 12
    for name in ("records.parquet", "trials.jsonl", "conversations.jsonl"):
        ours, theirs = (Path(out, name).read_bytes() for out in ("run", "other"))
        assert sorted(ours.splitlines()) == sorted(theirs.splitlines()), name
    (used,) = json.loads(Path("run/extras.json").read_text())["usage"]
    paid = sum(u["prompt_tokens"] * 1.0 + u["completion_tokens"] * 5.0 for u in server.paid) / 1e6
    assert used["cost"] == pytest.approx(paid, rel=1e-6), "at half the price"
    assert "CANARY" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("form", FORMS)
def test_what_an_expired_batch_lacks_is_asked_in_a_further_one(desk: Desk, form: str) -> None:
    def line(batch: int, at: int, body: dict[str, Any]) -> str:
        return ("ok", "expired", "missing", "500")[at % 4] if batch == 0 else "ok"

    def end(batch: int) -> str:
        return "expired" if batch == 0 else "completed"

    with running_others(form, line=line, end=end) as server:
        assert batched(server) == 0
        assert [len(one) for one in server.lines] == [12, 9] and len(server.paid) == 12
    first, second = (
        {n: e[n] for n in ("status", "replies", "errors", "missing")} for e in events("ended")
    )
    assert first == {"status": "expired", "replies": 3, "errors": 3, "missing": 6}
    assert second == {"status": "completed", "replies": 9, "errors": 0, "missing": 0}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kept", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_command_that_ended_at_any_point_continues_with_the_same_batch(
    desk: Desk, form: str, kept: int
) -> None:
    """Prepared only (its id never came back), or submitted; batches of others are left alone."""
    with running_others(form, lose=1) as server:
        assert batched(server) == 0 and len(server.batches) == 1, "its answer was lost once"
        ledger = Path("run") / LEDGER
        ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:kept]))
        for name in REPLIES:
            (Path("run") / name).unlink()
        other = server.row(0)
        server.foreign = [
            {**other, "name": "batches/9", "metadata": {"displayName": "of others"}}
            if form == "gemini"
            else {**other, "id": "msgbatch_9", "request_counts": {"processing": 3}}
        ]
        assert batched(server) == 0
        assert len(server.batches) == 1 and len(events("prepared")) == len(events("ended")) == 1


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("anthropic", marks=pytest.mark.slow),
        pytest.param("gemini", marks=pytest.mark.bench),
    ],
)
def test_a_killed_run_waits_for_its_batch(desk: Desk, form: str) -> None:
    with running_others(form, held=True) as server:
        asked = command(server, "--batch", "--batch-poll", "0.05", "--out", "run")
        process = subprocess.Popen(
            [sys.executable, "-m", "harness.cli.main", *asked],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert server.made.wait(120)
        process.kill()
        process.wait()
        server.held = False
        assert batched(server) == 0
        assert len(server.batches) == 1 and len(server.paid) == 12 and not server.direct


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_the_forecast_is_within_a_tenth_of_what_is_paid(
    desk: Desk, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_others(form) as server:
        assert batched(server, "--preview", "4") == 0
        first = len(server.paid)
        capsys.readouterr()
        assert main(command(server, "--batch", "--json", "--out", "run", verb="plan")) == 0
        (row,) = json.loads(capsys.readouterr().out)["plan"]["tokens"]
        assert batched(server) == 0
    paid = sum(u["prompt_tokens"] * 1.0 + u["completion_tokens"] * 5.0 for u in server.paid[first:])
    assert all(cost == pytest.approx(paid / 1e6, rel=0.1) for cost in row["cost"])


def test_what_a_batch_api_does_not_take_is_refused_before_it_is_submitted(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("other.toml").write_text("")
    with running_others("gemini") as server:
        asked = command(server, "--batch", "--no-report", "--out", "run")
        toml = Path("harness.toml")
        toml.write_text(toml.read_text() + "[models.hosted.body]\nuser = 'me'\n")
        assert main(asked) != 0
        assert not server.batches
    assert "the batch API of Gemini takes no user" in capsys.readouterr().err


def test_the_wrong_form_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with running_others("anthropic") as server:
        asked = command(server, "--batch", "--no-report", "--out", "run")
        toml = Path("harness.toml")
        toml.write_text(toml.read_text().replace('"anthropic"', '"openai"'))
        assert main(asked) != 0
    assert "set batch_api under [models.NAME]" in capsys.readouterr().err


BODY = {
    "model": "m", "temperature": 0.0, "top_p": 1.0, "top_k": -1, "repetition_penalty": 1.0, "seed": 3, "max_tokens": 9,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
        ]},
        {"role": "assistant", "content": "Well."},
        {"role": "user", "content": "And?"},
    ],
}  # fmt: skip


def service(make: Callable[..., Any], **more: Any) -> Any:
    endpoint = parse_endpoint("m@http://127.0.0.1:9/v1beta/openai", allow_remote=frozenset())
    return make(endpoint, Patience(), **more)


def test_requests_in_both_forms() -> None:
    body = json.dumps(BODY).encode()
    (line,) = service(GeminiBatches).write([("a", body)])
    assert json.loads(line) == {
        "key": "a",
        "request": {
            "contents": [
                {"role": "user", "parts": [{"text": "Look:"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}]},
                {"role": "model", "parts": [{"text": "Well."}]},
                {"role": "user", "parts": [{"text": "And?"}]},
            ],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "generationConfig": {"maxOutputTokens": 9, "temperature": 0.0, "topP": 1.0, "seed": 3},
        },
    }  # fmt: skip
    thinking = {"type": "enabled", "budget_tokens": 1024}
    other = json.dumps({**BODY, "thinking": thinking}).encode()
    whole = b"".join(service(AnthropicBatches, poll=1).write([("a", body), ("b", other)]))
    first, second = json.loads(whole)["requests"]
    assert first == {
        "custom_id": "a",
        "params": {
            "model": "m", "max_tokens": 9, "temperature": 0.0, "system": "Be brief.",
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Look:"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                ]},
                {"role": "assistant", "content": [{"type": "text", "text": "Well."}]},
                {"role": "user", "content": [{"type": "text", "text": "And?"}]},
            ],
        },
    }  # fmt: skip
    assert second["params"]["thinking"] == thinking


@pytest.mark.parametrize(
    "more",
    [{"response_format": {}}, {"tools": []}, {"repetition_penalty": 1.2}, {"logprobs": True}],
)
def test_what_is_not_taken(more: dict[str, Any]) -> None:
    with pytest.raises(HarnessError, match=f"takes no {next(iter(more))}"):
        read_chat(json.dumps({**BODY, **more}).encode(), service="X", passed=())


def test_replies_in_both_forms() -> None:
    api = service(GeminiBatches)

    def gemini(response: dict[str, Any]) -> Any:
        name, found = api.read(json.dumps({"key": "a", "response": response}).encode())
        assert name == "a" and found.status == 200
        return decode(found.body)

    parts = [{"text": "hm", "thought": True}, {"text": "joy"}]
    used = {"promptTokenCount": 300, "candidatesTokenCount": 2, "thoughtsTokenCount": 5, "cachedContentTokenCount": 100,
            "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 258}]}  # fmt: skip
    candidate = {"content": {"parts": parts}, "finishReason": "MAX_TOKENS"}
    said = gemini({"candidates": [candidate], "usageMetadata": used, "modelVersion": "g-1"})
    assert (said.text, said.reasoning, said.finish, said.served) == ("joy", "hm", "length", "g-1")
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (300, 7)
    assert (said.usage.reasoning_tokens, said.usage.picture_tokens, said.usage.shared_tokens) == (5, 258, 100)  # fmt: skip
    assert gemini({"promptFeedback": {"blockReason": "SAFETY"}}).finish == "filtered"
    assert gemini({"candidates": [{"finishReason": "SAFETY"}]}).finish == "filtered"
    api = service(AnthropicBatches, poll=1)
    message = {
        "model": "c-1", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "joy"}],
        "stop_reason": "refusal", "usage": {"input_tokens": 5, "cache_read_input_tokens": 20, "output_tokens": 3},
    }  # fmt: skip
    result = {"type": "succeeded", "message": message}
    _, found = api.read(json.dumps({"custom_id": "a", "result": result}).encode())
    said = decode(found.body)
    assert (said.text, said.reasoning, said.finish, said.served) == ("joy", "hm", "filtered", "c-1")
    assert (said.usage.prompt_tokens, said.usage.shared_tokens) == (25, 20)
