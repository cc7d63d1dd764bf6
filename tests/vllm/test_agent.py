"""Tools through a real vLLM: calls in the text, calls held by a schema, stop strings, and what the server counts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.vllm.serving import Served, harness, lines

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1200)]

SCENE = ("run", "faces/scene", "--no-report", "--tools", "zoom", "--limit", "5")
COUNTERS = ("vllm:prompt_tokens_total", "vllm:generation_tokens_total")


def counted(served: Served) -> list[float]:
    return [served.metric(name) for name in COUNTERS]


def replies(run: Path) -> list[dict[str, Any]]:
    return lines(run / "generations.jsonl")


def test_the_text_protocol_runs_end_to_end_and_tokens_are_those_of_the_server(
    served: Served, tmp_path: Path
) -> None:
    def spent(name: str, limit: int, *more: str) -> tuple[list[int], list[float]]:
        """Tokens of a run's replies, and what the server counted beside them: what it is asked at the start."""
        before = counted(served)
        done = harness(
            *SCENE[:-1], str(limit), *more, "--model", served.spec, "--out", tmp_path / name
        )
        assert done.returncode == 0, done.stderr
        tokens = [sum(line["usage"][n] for line in replies(tmp_path / name)) for n in (0, 1)]
        counts = zip(before, counted(served), tokens, strict=True)
        return tokens, [after - b - own for b, after, own in counts]

    tokens, start = spent("run", 5)
    more, start_again = spent("more", 10, "--set", "source.seed=8")
    # What is asked at a start (a hello, and whether pictures are kept apart) varies by up to a token a request.
    assert all(abs(a - b) <= 13 for a, b in zip(start, start_again, strict=True)), (
        start,
        start_again,
    )
    assert more[0] > 1.5 * tokens[0] > 0
    run = tmp_path / "run"
    kept = replies(run)
    trials = lines(run / "trials.jsonl")
    assert len(trials) == 5 and not any("failure" in line for line in trials)
    assert sum(len(line["keys"]) for line in trials) == len(kept)
    first, *_ = lines(run / "conversations.jsonl")
    assert '"name": "zoom"' in first["turns"][-1][1]
    (run / "scores.json").stat()
    here = tmp_path / "here"
    assert harness(*SCENE, "--model", "affect-tiny", "--out", here).returncode == 0
    assert sum(told(run)[one] == mine for one, mine in told(here).items()) >= 4


def told(run: Path) -> dict[str, Any]:
    """Sample -> the calls of its trial, and how it ended."""
    held = {line["key"]: line["text"] for line in replies(run)}
    return {
        line["trial"].split("/", 2)[2]: (line.get("calls"), held[line["keys"][-1]])
        for line in lines(run / "trials.jsonl")
    }


def test_stop_strings_are_honoured(served: Served, tmp_path: Path) -> None:
    """Those that a model's settings send: what the server cuts off is read as it stands."""
    run = tmp_path / "free"
    assert harness(*SCENE, "--model", served.spec, "--out", run).returncode == 0
    whole = replies(run)[0]["text"]
    stop = whole[len(whole) // 2 :]
    (tmp_path / "harness.toml").write_text(
        f"[models.tiny]\nmodel = {json.dumps(served.spec)}\nbody = {{stop = [{json.dumps(stop)}]}}\n"
    )
    cut = tmp_path / "cut"
    done = harness(*SCENE, "--model", "tiny", "--out", cut, here=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not any(stop in line["text"] for line in replies(cut))
    assert whole.removesuffix(stop) in {line["text"] for line in replies(cut)}


def test_calls_are_held_to_their_schema(served: Served, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = harness(*SCENE, "--model", served.spec, "--protocol", "agent:json", "--out", run)
    assert done.returncode == 0, done.stderr
    (model,) = json.loads((run / "manifest.json").read_text())["models"].values()
    assert model["constraints"] == {"calls": "structured_outputs"}
    calls = [call for line in lines(run / "trials.jsonl") for call in line.get("calls", ())]
    assert not {"unknown-tool", "forged"} & {call[3] for call in calls}
    ended = [json.loads(line["text"]) for line in replies(run) if line["finish"] == "stop"]
    assert all({*reply} <= {"call", "answer"} for reply in ended)
    # This model's answers are noise, which may hold the marks of a call; a call itself is well formed.
    answers = [
        json.dumps(reply["answer"], ensure_ascii=False) for reply in ended if "answer" in reply
    ]
    for _, name, given, status, *_ in calls:
        assert status != "malformed" or (not name and any(given in one for one in answers)), given


def native(served: Served, folder: Path, template: str = "") -> subprocess.CompletedProcess[str]:
    """Five scenes with native calls; `template` stands in place of the checkpoint's own chat template."""
    body = f"body = {{chat_template = {json.dumps(template)}}}\n" if template else ""
    (folder / "harness.toml").write_text(
        f"[models.tiny]\nmodel = {json.dumps(served.spec)}\n{body}"
    )
    return harness(
        *SCENE, "--model", "tiny", "--protocol", "agent:native", "--out", folder / "run", here=folder
    )  # fmt: skip


def test_native_calls_are_refused_where_the_chat_template_drops_tools(
    served: Served, tmp_path: Path
) -> None:
    """The server takes the field `tools` and reads calls, and the model never hears of it."""
    done = native(served, tmp_path)
    assert done.returncode == 2
    assert "this server's chat template drops tools: a prompt has" in done.stderr
    assert "agent:text" in done.stderr and "--chat-template" in done.stderr
    assert not lines(tmp_path / "run" / "generations.jsonl")


def test_native_calls_pass_where_the_chat_template_tells_of_tools(
    served: Served, tmp_path: Path
) -> None:
    template = Path(__file__).with_name("tells_of_tools.jinja").read_text(encoding="utf-8")
    done = native(served, tmp_path, template)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "run"
    (model,) = json.loads((run / "manifest.json").read_text())["models"].values()
    assert "with tools" in model["tools"] and "a named tool is called" in model["tools"]
    trials = lines(run / "trials.jsonl")
    calls = [call for line in trials for call in line.get("calls", ())]
    assert calls, "small faces are among the scenes, and the server reads the calls of its model"
    assert {(call[1], call[3], call[4]) for call in calls} == {("zoom", "ok", 1)}
    assert {line["word"] for line in replies(run) if "calls" in line} == {"tool_calls"}
    held = {line["key"]: line["text"] for line in replies(run)}
    assert all(held[line["keys"][-1]] for line in trials), "each trial ends with an answer"
