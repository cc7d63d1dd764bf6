"""What another package brings is found without a line in this one."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from harness.conditions import load_condition
from harness.core.errors import HarnessError
from tests.example import Installed
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
    assert load_condition("apex+jpeg:low+shots-2").name == "apex+jpeg:low+shots-2"


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
