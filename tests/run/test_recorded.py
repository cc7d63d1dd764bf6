"""A run folder of version 0.2.0: read, scored to the same bytes, and complete without its server.

`tests/golden/run-0.2.0` was written by that version against a server that is gone: two prompts of its own folder,
few-shot examples, label orders, so that conditions are composed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.answers.reader import PARSER_VERSION
from harness.cli.main import main
from harness.core.cell import Cell
from harness.run.folder import RunFolder
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from harness.score.folder import score_run
from harness.score.records import read_records
from tests.run.keeping import contents

GOLDEN = Path(__file__).parent.parent / "golden" / "run-0.2.0"
MODEL = "openai:stub@http://127.0.0.1:18972"
ARGUMENTS = (
    "task.yaml", "--prompts", "prompts", "--model", MODEL, "--prompt", "emotion/plain", "--prompt", "emotion/few-shot",
    "--condition", "none", "--condition", "blank+label-order:reversed", "--condition", "label-order:rotated-1",
    "--shots", "0", "--shots", "2", "--out", "run",
)  # fmt: skip
RUN = ("run", *ARGUMENTS, "--no-report")
LOGS = ("trials.jsonl", "generations.jsonl", "conversations.jsonl")


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, in which commands work."""
    shutil.copytree(GOLDEN, tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    return tmp_path / "old"


def scored() -> bytes:
    """What scoring writes into scores.json now, but for the version of the parser; the test below says in what it differs
    from what 0.2.0 wrote."""
    written = (GOLDEN / "scores-now.json").read_bytes()
    return written.replace(b'"parser": "1"', f'"parser": "{PARSER_VERSION}"'.encode())


def logs(old: Path) -> list[bytes]:
    return [(old / "run" / name).read_bytes() for name in LOGS]


def test_scores_are_the_same_to_the_byte(old: Path) -> None:
    (old / "run" / "scores.json").unlink()
    before = contents(GOLDEN / "run") | {"scores.json": hashlib.sha256(scored()).hexdigest()}
    assert main(["score", "run"]) == 0
    assert (old / "run" / "scores.json").read_bytes() == scored()
    now = contents(old / "run")
    assert {name for name in now if now[name] != before.get(name)} <= {
        "records.parquet",
        "extras.json",
    }


def test_numbers_of_models_are_those_of_0_2_0() -> None:
    """The prior is its expectation since, and has no confusion counts; an entropy of nought has no sign; where no
    spread was seen the interval is no point."""
    written = (GOLDEN / "run/scores.json").read_text()
    then = json.loads(re.sub(r'("entropy_\w+": )-0\.0', r"\g<1>0.0", written))
    now = json.loads((GOLDEN / "scores-now.json").read_text())
    rows = [[r for r in body.pop("scores") if r["model"] != "prior"] for body in (then, now)]
    assert len(rows[0]) > 50
    for old, new in zip(*rows, strict=True):
        if new.pop("spread", True):
            assert old == new
        else:
            assert old["low"] == old["high"] and new["low"] <= old["value"] <= new["high"]
            assert new["low"] < new["high"]
            assert {k for k in old if old[k] != new[k]} <= {"low", "high", "estimator"}
    assert {r["baseline"] for r in now.pop("against_baselines")} == {"majority", "prior"}
    then["confusions"] = [e for e in then["confusions"] if e["model"] != "prior"]
    assert now.pop("risk_coverage") == [], "nor this one"
    assert now.pop("age_decades") == [], "nor this one"
    assert [task.pop("ladder") for task in now["tasks"]] == [[]], "an analysis that 0.2.0 had not"
    assert [task.pop("tools") for task in now["tasks"]] == [[]], "nor this one"
    assert then == now


def test_the_same_command_asks_nothing_and_opens_nothing(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = logs(old)
    assert main([*RUN]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "54 trials, 0 requests, 54 already done" in told
    assert (
        told.count(
            f"{MODEL} is opened only if a picture or a sample has changed: all its trials are finished"
        )
        == 1
    )
    assert logs(old) == before, "nothing is written twice"
    assert (old / "run" / "scores.json").read_bytes() == scored()
    assert main([*RUN]) == 0, "and again from the manifest of this version"
    assert logs(old) == before
    assert not list((old / "run").glob(".*.unfinished-*"))


def test_a_plan_says_that_all_is_done(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(old)
    assert main(["plan", *ARGUMENTS, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert (plan["trials"], plan["done"], plan["requests"]) == (54, 54, 0)
    assert all(cell["done"] == cell["trials"] == 6 for cell in plan["cells"])
    assert contents(old) == before


def test_other_metrics_ask_nothing_again(old: Path) -> None:
    before = logs(old)
    assert main(["score", "run", "--set", "fields.emotion.metrics=[uar, kappa]"]) == 0
    found = {row.metric for row in score_run(RunFolder(old / "run")).scores}
    assert {"uar", "kappa"} <= found and "accuracy" not in found
    task = (old / "task.yaml").read_text()
    (old / "task.yaml").write_text(
        task.replace("[uar, accuracy]", "[kappa], synonyms: {anger: [wrath]}")
    )
    for _ in range(2):
        assert main([*RUN]) == 0
        assert logs(old) == before
    assert {row.metric for row in score_run(RunFolder(old / "run")).scores} & {"uar", "kappa"} == {
        "kappa"
    }


def test_a_condition_that_was_written_by_hand_keeps_its_trials(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0.2.0 took `none+label-order:rotated-1` for another cell than `label-order:rotated-1`."""
    order = {"label-order:rotated-1": "none+label-order:rotated-1"}
    manifest = json.loads((old / "run/manifest.json").read_text())
    ids = {}
    for cell in manifest["cells"]:
        if cell["condition"] in order:
            written = {**cell, "condition": order[cell["condition"]]}
            ids[cell["id"]] = by_hand(written)
            cell |= {"condition": written["condition"], "id": ids[cell["id"]], "basis": "0123abcd"}
    assert len(ids) == 2
    (old / "run/manifest.json").write_text(json.dumps(manifest))
    lines = []
    for _, line in read_log(old / "run/trials.jsonl"):
        cell, _, rest = line["trial"].partition("/")
        if cell in ids:
            line |= {"trial": f"{ids[cell]}/{rest}", "basis": "0123abcd"}
        lines.append(json.dumps(line) + "\n")
    (old / "run/trials.jsonl").write_text("".join(lines))
    assert main(["score", "run"]) == 0
    assert (old / "run" / "scores.json").read_bytes() == scored()
    before = logs(old)
    assert main(["plan", *ARGUMENTS]) == 0
    assert "54 trials, 0 requests, 54 already done" in capsys.readouterr().out
    for _ in range(2):
        assert main([*RUN]) == 0
        assert logs(old) == before
        assert len(read_manifest(RunFolder(old / "run"))["cells"]) == 9
    trials = {row["trial"].partition("/")[0] for row in read_records(RunFolder(old / "run"))}
    assert set(ids.values()) <= trials


def by_hand(entry: dict[str, Any]) -> str:
    """The id that 0.2.0 gave a cell."""
    parts = [entry[n] for n in ("task", "model", "prompt", "condition", "protocol")]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:10]


def test_the_id_of_a_cell_is_that_of_0_2_0() -> None:
    for entry in read_manifest(RunFolder(GOLDEN / "run"))["cells"]:
        assert by_hand(entry) == entry["id"]
    cell = Cell("t", "m", "p", "blank", "single", shots=2, label_order="reversed")
    spelled = {"task": "t", "model": "m", "prompt": "p", "protocol": "single"}
    assert cell.id == by_hand({**spelled, "condition": "blank+shots-2+label-order:reversed"})


def test_a_trial_that_failed_after_it_was_finished_counts_as_failed(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its picture went missing once this version had taken over the folder."""
    assert main([*RUN]) == 0
    (old / "p3.png").rename(old / "elsewhere.png")
    assert main([*RUN]) == 3
    lines = [line for _, line in read_log(old / "run/trials.jsonl") if "failure" in line]
    assert "p3.png" in {line["trial"].rpartition("/")[2] for line in lines}
    capsys.readouterr()
    (old / "elsewhere.png").rename(old / "p3.png")
    assert main(["plan", *ARGUMENTS]) == 0
    assert f"{54 - len(lines)} already done" in capsys.readouterr().out
    failed = [row for row in read_records(RunFolder(old / "run")) if row["outcome"] == "failed"]
    assert len(failed) == len(lines)


def test_an_edited_prompt_makes_a_version_of_what_0_2_0_asked(old: Path) -> None:
    """The server is gone: nothing can be asked, and nothing changes."""
    prompt = old / "prompts/emotion/plain.j2"
    prompt.write_text(prompt.read_text().replace("one word", "a single word"))
    before = contents(old)
    assert main([*RUN]) == 2
    assert contents(old) == before
