"""`harness rate` as a command: collected, killed, gone on with, reported, read as a sidecar."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.rating.form import form_of
from harness.sources import open_source
from tests.interrupts import HEARING

TASK = """
source: {family: table, file: %s, image: image, label: emotion}
fields:
  emotion: {kind: label, labels: [anger, joy]}
prompts: [emotion/plain]
"""
Addresses = dict[str, str]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    from PIL import Image

    rows = ["image,emotion,subject"]
    for k in range(6):
        Image.new("RGB", (16, 16), (40 * k, 0, 0)).save(tmp_path / f"p{k}.png")
        rows.append(f"p{k}.png,{'joy' if k % 2 else 'anger'},s{k // 2}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "faces.yaml").write_text(TASK % (tmp_path / "labels.csv"))
    return tmp_path


@contextmanager
def serving(
    place: Path, *more: str, ends: int = signal.SIGINT
) -> Iterator[tuple[Addresses, list[str]]]:
    """The command while it serves: rater -> address; what it says at its end."""
    command = [*HEARING, "-m", "harness.cli.main", "rate", str(place / "faces.yaml"), "--serve-only", *more]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        addresses: Addresses = {}
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.match(r"  (.+): (http://127\.0\.0\.1:\d+/\S+/)", line):
                addresses[found[1]] = found[2]
            if "Ctrl-C" in line:
                break
        said: list[str] = []
        try:
            yield addresses, said
        finally:
            process.send_signal(ends)
            said += process.stdout.read().splitlines()
            code = process.wait(timeout=120)
    assert code == (-signal.SIGKILL if ends == signal.SIGKILL else 0), said


def post(address: str, at: int, answers: dict[str, object]) -> None:
    origin = address.split("/", 3)
    request = urllib.request.Request(
        f"{address}items/{at}",
        data=json.dumps({"answers": answers, "seconds": 2.0}).encode(),
        headers={"Content-Type": "application/json", "Origin": "/".join(origin[:3])},
    )
    assert urllib.request.urlopen(request).status == 200


def state(address: str) -> dict[str, int]:
    found: dict[str, int] = json.load(urllib.request.urlopen(address + "state"))
    return found


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_study_from_the_first_answer_to_the_sidecar(place: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    out = place / "r.csv"
    (place / "who.csv").write_text("rater,age\nanna,31\nben,44\n")
    asked = ("--field", "teeth=yes-no", "--raters", str(place / "who.csv"), "--out", str(out))
    with serving(place, *asked, ends=signal.SIGKILL) as (addresses, _):
        assert list(addresses) == ["anna", "ben"]
        for at in range(4):
            post(addresses["anna"], at, {"teeth": "yes"})
    assert not out.exists()  # killed; but what was answered is in the journal
    with serving(place, "--raters", str(place / "who.csv"), "--out", str(out)) as (addresses, said):
        assert state(addresses["anna"])["done"] == 4
        for at in range(4, 6):
            post(addresses["anna"], at, {"teeth": None if at == 5 else "yes"})
        for at in range(6):
            post(addresses["ben"], at, {"teeth": "yes" if at < 4 else "no"})
        blocked = main(["rate", str(place / "faces.yaml"), "--raters", "x", "--out", str(out)])
        assert blocked == 2 and "another process is collecting" in capsys.readouterr().err
    assert any("could not tell 1 of 6" in line for line in said)

    long = table(out)
    assert len(long) == 12 and set(long[0]) >= {"rater", "item", "condition", "field", "value", "seconds", "age"}  # fmt: skip
    assert {row["age"] for row in long if row["rater"] == "ben"} == {"44"}
    assert main(["rate", str(place / "faces.yaml"), "--report", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "Cohen's kappa" in told and "to adjudicate" in told and "small sample" in told

    disputes = re.findall(r"^  (\S+), teeth: anna (?:yes|no), ben", told, re.M)
    with serving(place, "--adjudicate", "--raters", "carol", "--out", str(out)) as (
        addresses,
        said,
    ):
        assert state(addresses["carol"])["total"] == len(disputes) > 0
        for at in range(len(disputes)):
            post(addresses["carol"], at, {"teeth": "no"})
    agreed = {row["sample"]: row["teeth"] for row in table(place / "r-agreed.csv")}
    assert all(agreed[sample] == "no" for sample in disputes)
    assert len(table(out)) == 12  # an adjudication is no rating

    fields = {"emotion": FieldSpec(kind="label", labels=("anger", "joy")), "teeth": FieldSpec(kind="yes-no")}  # fmt: skip
    source = open_source(
        {"family": "table", "file": "labels.csv", "image": "image", "targets": {"emotion": "emotion"},
         "sidecar": {"file": "r-agreed.csv"}},
        fields=fields, base=place,
    )  # fmt: skip
    assert {s.id: s.targets.get("teeth") for s in source if "teeth" in s.targets} == agreed


def test_wrong_commands_leave_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = str(place / "faces.yaml")
    (place / "mine-agreed.csv").write_text("mine")
    before = sorted(place.iterdir())
    for more, why in (
        (
            ["--raters", "a", "--out", "mine.csv"],
            "mine-agreed.csv already exists, and mine.journal.jsonl",
        ),
        (["--raters", "a", "--out", "r.txt"], "are written as .csv or .parquet"),
        (["--out", "r.csv"], "who rates?"),
        (["--raters", "a,a", "--out", "r.csv"], "twice"),
        (["--raters", "a", "--field", "smile", "--out", "r.csv"], "no such field"),
        (["--raters", "a", "--condition", "mix:0.5", "--out", "r.csv"], "mixed samples"),
        (["--raters", "a", "--adjudicate", "--out", "r.csv"], "no ratings yet"),
        (["--report", "--out", "r.csv"], "no ratings yet"),
        (["--report", "--raters", "a", "--out", "r.csv"], "--raters has no effect"),
    ):
        out = ["--out", str(place / more[-1])]
        assert main(["rate", task, *more[:-2], *out]) == 2, more
        assert why in capsys.readouterr().err
        assert sorted(place.iterdir()) == before, more


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("x=yes-no:a,b", "no options to name"),
        ("x=label", "name its options"),
        ("x=label:a,a", "twice"),
        ("x=number:1", "values to unpack"),
        ("x=number:2,1", "low"),
        ("x=colour", "unknown field kind"),
        ("emotion=text", "already"),
        ("=text", "no name"),
    ],
)
def test_fields_that_cannot_be_asked(asked: str, why: str) -> None:
    with pytest.raises(HarnessError, match=why):
        form_of([asked], {"emotion": FieldSpec(kind="text")})


def test_fields_that_are_written_out() -> None:
    asked = ["a=yes-no", "b=label:x,y", "c=set:x,y", "d=number:1,9", "e=text", "f=label:basic-7"]
    found = {field.name: field for field in form_of(asked, {})}
    assert [f.control for f in found.values()] == ["one", "one", "several", "number", "text", "one"]
    assert (found["d"].spec.low, found["d"].spec.high) == (1, 9)
    assert found["c"].checked([]) == "none" and found["c"].checked(["y", "x"]) == "x; y"
    assert found["d"].checked(5.0) == "5" and len(found["f"].options) == 7
