"""`--repeats`, `--temperature` and `--label-order`, by the command itself against a server."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from tests.cli.conftest import Run
from tests.cli.test_compare import TABLE
from tests.models.stub import Stub


def drawn(body: dict[str, Any]) -> str:
    """An answer by the seed that was sent, with a pull to the label that is listed first."""
    text = json.dumps(body["messages"])
    draw = Random(f"{body['seed']} {len(text)} {text[-400:]}").random()
    names = sorted(("anger", "happiness"), key=text.index)
    return names[draw > 0.7]


def test_repeats_and_label_orders_from_the_command_to_the_page(
    data: Path, stub: Stub, harness: Run
) -> None:
    stub.answer = drawn
    run = (
        "run", *TABLE, "--model", f"openai:stub@{stub.url}", "--repeats", "3", "--temperature",
        "0.8", "--label-order", "as-written", "--label-order", "reversed", "--out", "run",
    )  # fmt: skip
    done = harness(*run)
    assert done.returncode == 0, done.stderr
    sent = [r for r in stub.requests if r.get("temperature") == 0.8]
    assert len(sent) == 24 * 3 * 2
    assert {r["seed"] for r in sent} == {0, 1, 2}
    assert "asked 3 times, at temperature 0.8" in done.stderr
    text = " ".join(done.stdout.split())
    assert "samples got different answers" in text
    assert "correct under all 2 label orders" in text
    before = stub.count
    assert harness(*run).returncode == 0
    assert len([r for r in stub.requests[before:] if r.get("temperature") == 0.8]) == 0
    page = (data / "run" / "report.html").read_text()
    assert "Asked again" in page and "Label order" in page
    scores = json.loads((data / "run" / "scores.json").read_text())
    assert {r["n"] for r in scores["scores"] if r["metric"] == "uar" and r["slice"] == "all"} == {
        24
    }
    compared = json.loads(harness("compare", "run", "--json").stdout)
    assert [c["axis"] for c in compared["comparisons"]] == ["label order"]


def test_a_greedy_repeat_is_warned_of_and_nonsense_is_refused(data: Path, harness: Run) -> None:
    plan = ("plan", *TABLE, "--model", "openai:none@http://127.0.0.1:9/v1")
    done = harness(*plan, "--repeats", "2")
    assert done.returncode == 0, done.stderr
    assert "greedy replies hardly differ" in done.stdout + done.stderr
    assert harness(*plan, "--repeats", "0").returncode == 2
    assert harness(*plan, "--temperature", "-1").returncode == 2
    told = harness(*plan, "--label-order", "sideways")
    assert told.returncode == 2
    assert "as-written, reversed, rotated-K, shuffled-SEED" in told.stderr
