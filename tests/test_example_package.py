"""What another package brings is found without a line in this one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from harness.cli.main import main
from harness.conditions.presentation import read_presentation
from harness.conditions.registry import load_condition
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.run.folder import open_run
from harness.run.sample_file import read_samples
from harness.sources import open_source
from tests.example import Installed, write_package
from tests.models.service import running_service
from tests.models.stub import running_stub
from tests.run.bench import rows, write_pictures


def test_its_conditions_are_listed(example: Installed) -> None:
    listed = example.harness("list", "conditions")
    assert listed.returncode == 0, listed.stderr
    assert "left and right exchanged (package affect-example)" in listed.stdout
    assert "jpeg:QUALITY" in listed.stdout


def test_its_conditions_are_found_in_this_process(example_here: Installed) -> None:
    assert load_condition("mirrored").name == "mirrored"
    assert load_condition("jpeg:high").name == "jpeg:high"
    assert read_presentation("apex+jpeg:low+shots-2").condition == "apex+jpeg:low"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("jpeg:best", "low, medium, high"),
        ("jpeg", "write jpeg:QUALITY"),
        ("mirrored:twice", "write mirrored"),
        ("jpg:high", "jpeg"),
    ],
)
def test_words_that_do_not_suit_are_refused(example_here: Installed, name: str, hint: str) -> None:
    with pytest.raises(HarnessError) as caught:
        load_condition(name)
    assert name in caught.value.message or "jpg" in caught.value.message
    assert hint in caught.value.hint


def test_a_run_shows_pictures_under_its_conditions(example: Installed) -> None:
    write_pictures(example.work, rows(4))
    for number in range(4):
        shaded = Image.linear_gradient("L").rotate(90 * number).convert("RGB")
        shaded.save(example.work / f"p{number}.png")
    with running_stub() as stub:
        done = example.harness(
            "run", "table/emotion", "--model", f"openai:stub@{stub.url}", "--json",
            "--set", "source.file=labels.csv", "--set", "source.image=image", "--set", "source.label=emotion",
            "--condition", "none", "--condition", "jpeg:low", "--out", "run",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(stub.requests) == 8
    conditions = {row["condition"] for row in json.loads(done.stdout)["scores"]}
    assert {"none", "jpeg:low"} <= conditions
    kept = [
        json.loads(line) for line in (example.work / "run/trials.jsonl").read_text().splitlines()
    ]
    assert len(kept) == 8


def draw_named(folder: Path) -> None:
    """Four pictures whose names hold subject, mood and take, and one that does not fit."""
    folder.mkdir()
    for number, name in enumerate(("s1_anger_1", "s1_happiness_2", "s2_anger_1", "s2_happiness_1")):
        Image.new("RGB", (16, 16), (60 * number, 90, 200)).save(folder / f"{name}.png")
    Image.new("RGB", (16, 16)).save(folder / "thumbnail.png")


NAMED = ("--set", "source={family: named-files, root: named, pattern: '{subject}_{mood}_{take}'}")


@pytest.fixture
def here(example_here: Installed, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where this process works, with the pictures of `draw_named`."""
    monkeypatch.chdir(example_here.work)
    draw_named(example_here.work / "named")
    return example_here.work


def test_its_model_is_asked_about_its_source(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The adapter posts to a real server, the source reads annotations out of file names."""
    with running_service() as service:
        name = f"service:{service.url}"
        assert main(["run", "example/mood", *NAMED, "--model", name, "--json", "--out", "run"]) == 0
    done = capsys.readouterr()
    assert "1 left out: name does not fit source.pattern" in done.err
    sent = [part for body in service.bodies for turn in body["turns"] for part in turn["parts"]]
    assert sum("image" in part for part in sent) == 4
    rows = {(r["model"], r["metric"]): r for r in json.loads(done.out)["scores"]}
    accuracy = rows[name, "accuracy"]
    assert accuracy["value"] == 0.5 and accuracy["n"] == 4
    assert "by subject" in accuracy["estimator"]


def test_its_model_refuses_and_says_what_failed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    asked = ["run", "example/mood", *NAMED, "--out", "run", "--no-report", "--model"]
    assert main([*asked, "service:http://192.0.2.1"]) == 2
    assert "--allow-remote 192.0.2.1" in capsys.readouterr().err
    assert main([*asked, "service:http://127.0.0.1:9", "--rpm", "5"]) == 2
    assert "--rpm has no effect" in capsys.readouterr().err
    with running_service(status=500) as service:
        assert main([*asked, f"service:{service.url}", "--max-error-rate", "1"]) == 3
    kept = (here / "run/trials.jsonl").read_text().splitlines()
    assert {json.loads(line)["failure"]["kind"] for line in kept} == {"server"}


def test_its_source_says_what_is_wrong(example_here: Installed) -> None:
    fields = {"mood": FieldSpec(kind="label", labels=("anger", "happiness"))}
    draw_named(example_here.work / "named")
    options = {"family": "named-files", "root": "named", "pattern": "{subject}_{mood}_{take}"}
    source = open_source(options, fields=fields, base=example_here.work)
    samples = list(source)
    assert [s.targets["mood"] for s in samples] == ["anger", "happiness", "anger", "happiness"]
    assert [(s.cluster, s.annotations["take"]) for s in samples][1] == ("s1", "2")
    assert source.digest() == open_source(options, fields=fields, base=example_here.work).digest()
    for wrong, said in (
        ({**options, "pattern": "no names"}, "source.pattern"),
        ({**options, "root": "nowhere"}, "source.root"),
        ({**options, "shape": "round"}, "no such option"),
    ):
        with pytest.raises(HarnessError) as caught:
            open_source(wrong, fields=fields, base=example_here.work)
        assert said in caught.value.message


def test_its_task_and_prompt_are_listed_with_its_name(example: Installed) -> None:
    for kind, name in (("tasks", "example/mood"), ("prompts", "example/mood")):
        listed = example.harness("list", kind)
        assert listed.returncode == 0, listed.stderr
        line = next(row for row in listed.stdout.splitlines() if row.startswith(name))
        assert "(package affect-example)" in line
        assert "(package" not in listed.stdout.replace(line, "")
    linted = example.harness("lint", "example/mood")
    assert linted.returncode == 0, linted.stdout
    assert "1 prompt, 0 errors" in linted.stdout


def test_its_task_runs(example: Installed) -> None:
    write_pictures(example.work, rows(4))
    with running_stub() as stub:
        done = example.harness(
            "run", "example/mood", "--model", f"openai:stub@{stub.url}", "--json", "--out", "run",
            "--set", "source.file=labels.csv", "--set", "source.image=image", "--set", "source.label=emotion",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert {row["prompt"] for row in json.loads(done.stdout)["scores"]} >= {"example/mood"}


def test_a_folder_of_ones_own_comes_first(example: Installed) -> None:
    own = example.work / "mine" / "example"
    own.mkdir(parents=True)
    (own / "mood.yaml").write_text(
        "description: my own\nsource: {family: table}\n"
        "fields: {mood: {kind: label, labels: [joy]}}\nprompts: [example/mood]\n"
    )
    listed = example.harness("list", "tasks", "--tasks", "mine")
    line = next(row for row in listed.stdout.splitlines() if row.startswith("example/mood"))
    assert "my own" in line and "(package" not in line


def test_a_package_replaces_no_shipped_file_and_a_broken_one_stops_nothing(
    installed: Installed,
) -> None:
    groups = ("harness.tasks", "harness.prompts")
    write_package(
        installed.packages, "their-taker", entry_points={group: {"taker": "taker"} for group in groups},
        files={
            "taker/__init__.py": "", "taker/emotion/plain.j2": "", "taker/own/less.yaml": "- no mapping\n",
            "taker/table/emotion.yaml": "description: not that of the harness\n",
        },
    )  # fmt: skip
    write_package(
        installed.packages, "their-broken", entry_points={group: {"lost": "nowhere_at_all"} for group in groups}
    )  # fmt: skip
    listed = installed.harness("list", "tasks")
    assert listed.returncode == 1
    lines = {row.split()[0]: row for row in listed.stdout.splitlines()}
    assert "the built-in one and one from the package their-taker" in lines["table/emotion"]
    assert "expected a mapping" in lines["own/less"]
    linted = installed.harness("lint")
    assert linted.returncode == 1
    for said in (
        "expected a mapping",
        "nowhere_at_all cannot be imported",
        "their-taker",
        "prompts, ",
    ):
        assert said in linted.stdout
    assert "cannot be imported" in lines["lost"] and "their-broken" in lines["lost"]
    assert "Zero-shot" not in lines["table/emotion"] and "broken" not in lines["faces/emotion"]
    shown = installed.harness("show", "faces/emotion", "--prompt", "emotion/cot")
    assert shown.returncode == 0, shown.stderr
    for arguments in (
        ("show", "table/emotion"),
        ("show", "faces/emotion", "--prompt", "emotion/plain"),
    ):
        refused = installed.harness(*arguments)
        assert refused.returncode == 2
        assert "their-taker" in refused.stderr and "uninstall" in refused.stderr
    unknown = installed.harness("show", "no/such")
    assert unknown.returncode == 2 and "nowhere_at_all cannot be imported" in unknown.stderr


def test_its_tool_is_listed_and_used_in_a_run(example: Installed) -> None:
    listed = example.harness("list", "tools")
    assert "brightness(half)" in listed.stdout
    assert "(package affect-example)" in listed.stdout
    write_pictures(example.work, rows(2))
    with running_stub() as stub:
        done = example.harness(
            "run", "table/emotion", "--model", f"openai:stub@{stub.url}", "--json",
            "--set", "source.file=labels.csv", "--set", "source.image=image", "--set", "source.label=emotion",
            "--tools", "brightness", "--out", "run",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "brightness" in str(stub.requests[-1])
    (row, *_) = (r for r in json.loads(done.stdout)["scores"] if "stub" in r["model"])
    assert (row["tools"], row["protocol"]) == ("brightness", "agent")


@pytest.mark.parametrize(
    ("file", "function", "asked", "status", "named"),
    [
        ("conditions", "    def apply(self, medium", ("--condition", "mirrored"), 2, "condition 'jpeg' or 'mirrored'"),
        ("sources", "    def __iter__(", (), 2, "source 'named-files'"),
        ("protocols", "    def step(", ("--protocol", "last-line"), 2, "protocol 'last-line'"),
        ("metrics", "def _geometric_mean(", ("--set", "fields.mood.metrics=[g_mean]"), 1, "metric 'far_off' or 'g_mean'"),
        ("models", "    async def reply(", (), 1, "model 'service'"),
    ],
)  # fmt: skip
def test_a_plug_in_that_raises_is_named(
    here: Path, example_here: Installed, capsys: pytest.CaptureFixture[str],
    file: str, function: str, asked: tuple[str, ...], status: int, named: str,
) -> None:  # fmt: skip
    """And no traceback is shown; what was made for a run that did not begin goes."""
    path = example_here.packages / "affect_example" / f"{file}.py"
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(function))
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()) + 4)
    lines.insert(at + 1, f"{indent}raise ZeroDivisionError('boom')")
    path.write_text("\n".join(lines))
    with running_service() as service:
        model = ("--model", f"service:{service.url}", "--out", "run")
        assert main(["run", "example/mood", *NAMED, *model, *asked]) == status
    told = " ".join(capsys.readouterr().err.split())
    place = f"failed in {file}.py, line {at + 2}: ZeroDivisionError: boom"
    assert f"{named} of package affect-example {place}" in told
    assert (here / "run").exists() == (status == 1)


def test_its_submission_form_is_written_checked_and_scored(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_service() as service:
        name = f"service:{service.url}"
        assert main(["run", "example/mood", *NAMED, "--model", name, "--out", "run"]) == 0
    names = [
        one.sample for one in read_samples(open_run(here / "run").scored_samples("example/mood"))
    ]
    (here / "pictures.txt").write_text("\n".join(names))
    submit = ["submit", "example-list", "--to-answer", "pictures.txt"]
    assert main([*submit, "run", "--out", "out"]) == 0
    assert main([*submit, "--check", "out/labels.csv", "--truth", "out/labels.csv"]) == 0
    assert "UAR: 1.000" in capsys.readouterr().out
    (here / "out/labels.csv").write_text("picture,label\n")
    assert main([*submit, "--check", "out/labels.csv"]) == 1
