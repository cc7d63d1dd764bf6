"""Flow and any recogniser on long videos as SAMM and CAS(ME)^3 distribute them: miniatures with drawn frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("openpyxl")

import harness
from harness import load_task
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.faces import LongSpec
from harness.sources import open_source
from tests.baselines import long_layouts as layouts
from tests.run.bench import RuleModel


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "lay", "fps", "video"),
    [
        ("samm/me-str", layouts.samm, {"fps": 30}, ("006", "006_1")),
        ("casme3/me-str", layouts.casme3, {}, ("spNO.1", "a")),
    ],
)
def test_flow_spots_and_a_model_recognises_in_the_layout_of_a_set(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    task: str,
    lay: Callable[[Path, LongSpec], None],
    fps: dict[str, int],
    video: tuple[str, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = layouts.video()
    lay(tmp_path, spec)
    source = {"root": ".", **fps}
    known = load_task(task, source=source)
    samples = list(open_source(known.source, fields=known.fields, base=tmp_path))
    ((onset, _, offset, emotion),) = layouts.events(spec, micro=True)
    told = samples[0].annotations
    assert (told["subject"], told["video"]) == video
    assert json.loads(str(told["events"])) == [[onset, offset, emotion]], "frames from 1"
    ids = ((s.id, s.medium.indices[0]) for s in samples)
    layouts.landmarks(tmp_path / "marks.csv", spec, ids)
    line = ["baseline", "flow", task, "--out", "spots", "--json"]
    for key, value in {**source, "marks": "marks.csv"}.items():
        line += ["--set", f"source.{key}={value}"]
    assert main(line) == 0
    rows = json.loads(capsys.readouterr().out)["scores"]
    found = {row["metric"]: row["value"] for row in rows}
    assert (found["tp_spotting"], found["fn_spotting"]) == (1, 0)
    run = harness.evaluate(
        task, model=RuleModel(rule=lambda request: emotion), source=source, spots="spots",
        out="run", progress=False, report=False,
    )  # fmt: skip
    scores = json.loads((run.path / "scores.json").read_text())["scores"]
    got = {
        r["metric"]: r["value"] for r in scores if r["field"] == "spots" and r["model"] == "rule"
    }
    assert got["f1_spotting"] == found["f1_spotting"] and got["f1_analysis"] == 1.0
    assert main(["report", "run", "--format", "markdown"]) == 0
    assert "USTC-IAT-United" in (run.path / "report.md").read_text(), "published rows stand beside"


def test_videos_without_landmarks_or_emotions_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    folder = tmp_path / "part_A" / "data" / "spNO.1" / "a" / "color"
    folder.mkdir(parents=True)
    for number in range(1, 33):
        Image.new("RGB", (16, 16)).save(folder / f"{number}.jpg")
    layouts.sheet(
        tmp_path / "annotation" / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", "label",
        ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "emotion"], ["spNO.1", "a", 8, 10, 0, "4", "others"],
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["baseline", "flow", "casme3/me-str", "--set", "source.root=."]) == 1
    assert "the 68 landmarks of its frames are not known" in capsys.readouterr().err
    task = load_task("casme3/me-str", source={"root": "."})
    first = next(iter(open_source(task.source, fields=task.fields, base=tmp_path)))
    assert first.annotations["events"] == '[[8,10,"others"]]', "an offset of 0 is the apex"
    layouts.sheet(tmp_path / "SAMM_LongVideos_V3_Release.xlsx", "Release", ["Subject"])
    samm = load_task("samm/me-str", source={"root": "."})
    with pytest.raises(HarnessError, match="emotions of SAMM's micro-expressions are not known"):
        open_source(samm.source, fields=samm.fields, base=tmp_path)
