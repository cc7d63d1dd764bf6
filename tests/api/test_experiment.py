"""Experiment files: read as the options they say, refused with their line, saved, chosen from, previewed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import harness
from harness.api.experiment import KEYS, read_experiment, schema, write_experiment
from harness.api.options import RunOptions
from harness.cli.main import main
from harness.core.cell_pattern import CellPattern
from harness.core.errors import HarnessError
from harness.run.task_files import change_value, split_change
from tests.api.conftest import SOURCE
from tests.models.stub import running_stub
from tests.run.bench import RuleModel

WHOLE = """
name: Do definitions help?
models: [qwen, {model: "openai:other@http://127.0.0.1:9/v1", display_name: Other, price: {input: 1, output: 2}}]
tasks: [table/emotion]
prompts: [emotion/plain, emotion/defined]
conditions: [none, blank]
channels: free
shots: [0, 4]
exclude: [{model: qwen, prompt: "emotion/d*"}, {condition: blank, shots: 4}]
against: {prompt: emotion/plain}
select: {on: {split: train}, report: {split: test}}
stop: {cost: 20, hours: 6, error_rate: 0.5}
set: {source: {file: labels.csv, image: image}, slices: [gender], fields: {emotion: {metrics: [uar]}}}
max_images: {qwen: 1}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "experiment.yaml"
    path.write_text(text)
    return path


def values(options: RunOptions) -> dict[str, Any]:
    """Dotted path -> value, of the changes of tasks."""
    return {
        ".".join(keys): change_value(text, "") for keys, text in map(split_change, options.changes)
    }


def test_a_file_says_what_options_say(tmp_path: Path) -> None:
    found = read_experiment(write(tmp_path, WHOLE))
    asked = found.options
    assert asked.models == ("qwen", "Other") and found.settings["Other"].price is not None
    assert asked.channels == ("free",) and asked.shots == (0, 4)
    assert (asked.max_cost, asked.stop_after, asked.max_error_rate) == ("20", 21600, 0.5)
    assert asked.max_images == ("qwen=1",)
    assert values(asked) == {
        "source.file": "labels.csv", "source.image": "image", "slices": ["gender"], "fields.emotion": {"metrics": ["uar"]},
    }  # fmt: skip
    assert asked.exclude[1] == CellPattern(condition="blank", shots="4")
    assert asked.select is not None and asked.select.on == {"split": "train"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: a\nmodls: b\n", ["experiment.yaml:2", "modls", "did you mean models?"]),
        ("tasks: a\nstop_after: 3\n", ["experiment.yaml:2", "stop: {hours: ...}"]),
        ("tasks: a\nrepeats: none\n", ["experiment.yaml:2", "repeats"]),
        ("tasks: a\nexclude:\n  - {promt: x}\n", ["experiment.yaml:3", "promt"]),
        ("tasks: a\nstop: {days: 3}\n", ["experiment.yaml:2", "days"]),
        ("tasks: a\nmodels:\n  - {modell: x}\n", ["experiment.yaml:3", "modell"]),
        ("tasks: a\nselect: {on: {split: a}, report: {split: a}}\n", ["experiment.yaml:2", "two different"]),
        ("tasks: a\ntasks: b\n", ["experiment.yaml:2", "appears twice"]),
        ("tasks: []\n", ["experiment.yaml:1", "tasks"]),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(HarnessError) as caught:
        read_experiment(write(tmp_path, text))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("text", ["tasks: a\nsource: {}\n", "prompts: a\n"])
def test_a_file_of_both_or_neither_is_refused(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(write(tmp_path, text))]) == 2
    assert "tasks:" in capsys.readouterr().err


def test_saved_options_are_read_as_the_same(tmp_path: Path) -> None:
    asked = RunOptions(
        tasks=("table/emotion",), models=("affect-tiny",), prompts=("emotion/*",), shots=(0, 2),
        changes=("source.file=a b.csv", 'slices=["x"]', "source.labels={x: anger}"),
        exclude=(CellPattern(prompt="emotion/c*"),), against=CellPattern(model="affect-tiny"),
        max_cost="5EUR", stop_after=1800.0, max_images=("affect-tiny=1",), name="Off", seed=3,
    )  # fmt: skip
    path = tmp_path / "saved.yaml"
    write_experiment(path, asked)
    found = read_experiment(path).options
    assert values(found) == values(asked)
    assert found.model_copy(update={"changes": ()}) == asked.model_copy(update={"changes": ()})
    with pytest.raises(HarnessError, match="exists"):
        write_experiment(path, asked)


def test_the_schema_takes_what_is_read_and_nothing_unknown(tmp_path: Path) -> None:
    Draft202012Validator.check_schema(schema())
    check = Draft202012Validator(schema())
    body = yaml.safe_load(WHOLE.replace("{on:", "{'on':"))
    assert list(check.iter_errors(body)) == []
    assert not check.is_valid({**body, "unknown": 1}) and not check.is_valid({"models": ["a"]})
    assert set(schema()["properties"]) == set(KEYS)


def experiment(**more: Any) -> str:
    return yaml.safe_dump({"tasks": ["table/emotion"], "set": {"source": SOURCE}, **more})


def test_one_file_from_plan_to_more_prompts(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_stub() as stub:
        body = {"models": [f"openai:stub@{stub.url}"], "name": "First look"}
        path = write(data, experiment(prompts=["emotion/plain"], **body))
        assert main(["run", str(path), "--preview", "3"]) == 0
        assert "3 samples side by side" in capsys.readouterr().out
        (folder,) = (data / "results" / "runs").iterdir()
        assert folder.name == "First-look"
        assert main(["run", str(path), "--limit", "3", "--preview", "3"]) == 2
        assert "is no first look" in capsys.readouterr().err
        asked = stub.count
        assert main(["run", str(path), "--limit", "9", "--preview", "4"]) == 0
        assert stub.count - asked == 1, "the samples of a preview are among those of a limit"
        assert main(["run", str(path)]) == 0
        assert stub.count - asked == 21, "what the preview asked counts"
        asked = stub.count
        more = {"prompts": ["emotion/plain", "emotion/defined"], "conditions": ["none", "blank"]}
        left_out = {"exclude": [{"prompt": "emotion/plain", "condition": "blank"}]}
        path.write_text(experiment(**more, **left_out, **body, against={"prompt": "emotion/plain"}))
        assert main(["plan", str(path), "--out", str(folder)]) == 0
        assert "72 trials, 48 requests, 24 already done" in capsys.readouterr().out
        assert main(["run", str(path)]) == 0
        cells = harness.open_run(folder).manifest["cells"]
        assert [(c["prompt"], c["condition"]) for c in cells] == [
            ("emotion/plain", "none"), ("emotion/defined", "none"), ("emotion/defined", "blank"),
        ]  # fmt: skip
        assert harness.open_run(folder).manifest["experiment"]["against"] == {
            "prompt": "emotion/plain"
        }
        assert stub.count - asked == 24 + 1, "24 pictures, and one blank one"


def test_what_both_say_and_what_fits_no_cell_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(data, experiment(models=["affect-tiny"], prompts=["emotion/plain"]))
    assert main(["run", str(path), "--prompt", "emotion/cot"]) == 2
    assert "--prompt" in capsys.readouterr().err
    assert main(["run", str(path), "--exclude", "prompt=emotion/cot"]) == 2
    assert "no cell fits" in capsys.readouterr().err
    assert main(["run", str(path), "--exclude", "prompt=emotion/plain"]) == 2
    assert main(["run", str(path), "--exclude", "prompts=a"]) == 2
    assert main(["run", str(path), "table/emotion"]) == 2
    assert not (data / "results").exists()


def test_prompts_are_chosen_on_some_samples_and_reported_on_others(data: Path) -> None:
    head, *rows = (data / "labels.csv").read_text().splitlines(keepends=True)
    for name, part in {"dev.csv": rows[::2], "test.csv": rows[1::2]}.items():
        (data / name).write_text(head + "".join(part))

    def rule(request: Any) -> str:
        words = "".join(
            part.text for m in request.messages for part in m.parts if hasattr(part, "text")
        )
        return "anger" if "brows" in words else "no idea"

    model = RuleModel(rule=rule)
    options: dict[str, Any] = {
        "model": model, "prompts": ["emotion/plain", "emotion/defined"], "source": SOURCE, "out": "chosen",
        "select": {"on": {"file": "dev.csv"}, "report": {"file": "test.csv"}}, "progress": False,
    }  # fmt: skip
    run = harness.evaluate("table/emotion", **options)
    (chosen,) = run.manifest["experiment"]["select"]["chosen"]
    assert chosen["prompt"] == "emotion/defined" and chosen["among"] == 2
    scores = run.scores()
    reported = scores[scores["task"] == "table/emotion@report"]
    assert set(reported["prompt"]) == {"-", "emotion/defined"}
    asked = len(model.asked)
    harness.evaluate("table/emotion", **options)
    assert len(model.asked) == asked
    assert len((Path("chosen") / "openings.jsonl").read_text().splitlines()) == 1
    harness.evaluate("table/emotion", **options, against={"prompt": "emotion/plain"})
    assert len((Path("chosen") / "openings.jsonl").read_text().splitlines()) == 2
    even = harness.evaluate(
        "table/emotion",
        **{**options, "model": RuleModel(rule=lambda request: "anger"), "out": "even"},
    )
    (chosen,) = even.manifest["experiment"]["select"]["chosen"]
    assert (chosen["prompt"], chosen["alike"]) == ("emotion/plain", ["emotion/defined"])


def test_a_file_that_names_no_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("e.yaml").write_text("tasks: [faces/emotion]\nmodels: []\n")
    assert main(["run", "e.yaml", "--out", "run"]) == 2
    assert "models: is empty" in capsys.readouterr().err and not Path("run").exists()
    assert main(["plan", "e.yaml", "--model", "affect-tiny", "--limit", "2"]) == 0
    assert main(["run", "e.yml"]) == 2
    assert "did you mean e.yaml?" in capsys.readouterr().err
    line = ["run", "faces/emotion", "--model", "affect-tiny", "--preview", "2"]
    assert main([*line, "--write", "f.yaml"]) == 2 and not Path("f.yaml").exists()


DEGRADED = """
name: degraded
models: ["openai:m@http://127.0.0.1:9/v1"]
tasks: [faces/emotion]
prompts: [emotion/plain]
conditions: [none, "degrade:blur=all", "degrade:dark=4/enhance:unsharp", "degrade:noise=2/enhance:sharpen"]
exclude: [{condition: "degrade:blur=[15]"}]
limit: 7
"""


def test_degradations_of_a_file_are_planned_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harness.toml").write_text(
        '[enhancers.sharpen]\nurl = "http://127.0.0.1:9/enhance"\n'
    )
    path = write(tmp_path, DEGRADED)
    assert main(["plan", str(path), "--json"]) == 0
    cells = json.loads(capsys.readouterr().out)["plan"]["cells"]
    assert [one["condition"] for one in cells] == [
        "none", *(f"degrade:blur={s}" for s in (2, 3, 4)), "degrade:dark=4/enhance:unsharp",
        "degrade:noise=2/enhance:sharpen",
    ]  # fmt: skip
    path.write_text(DEGRADED.replace("enhance:sharpen", "enhance:sharpn"))
    assert main(["plan", str(path)]) == 2
    assert "did you mean sharpen?" in capsys.readouterr().err
