"""Shards of a run, and the run that they make together."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.api.carry_out import carry_out
from harness.api.model_object import Lent
from harness.api.options import RunOptions, prepare
from harness.api.watchers import Noting
from harness.cli.main import build_parser, main
from harness.core.errors import HarnessError
from harness.run.log import read_log
from harness.run.merge import merge
from harness.score.folder import score_run
from tests.run.bench import TASK, write_pictures
from tests.run.bench import rows as made_rows
from tests.run.test_waves import Jittery, opened


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shards")
    write_pictures(root, made_rows(150))
    (root / "task.yaml").write_text(TASK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        run(root, "whole", None, seed=0)
        for number in (1, 2, 3):
            run(root, f"part-{number}", f"{number}/3", seed=number)
    return root


def run(root: Path, out: str, shard: str | None, *, seed: int) -> None:
    options = RunOptions(
        tasks=(str(root / "task.yaml"),), models=("rule",), out=root / out, shard=shard,
        prompts=("emotion/plain", "emotion/cot"), conditions=("none", "blank"),
    )  # fmt: skip
    model = Lent(opened(Jittery(seed)), ("chat",))
    carry_out(
        prepare(options, command=["test"], models={"rule": model}), Noting(None), report=False
    )


def parts(root: Path, *numbers: int) -> list[Path]:
    return [root / f"part-{number}" for number in numbers]


def test_shards_make_the_run_that_one_command_makes(place: Path) -> None:
    counts = [len(list(read_log(one / "trials.jsonl"))) for one in parts(place, 1, 2, 3)]
    assert sum(counts) == 600 and min(counts) > 0
    folder = merge(parts(place, 3, 1, 2), place / "merged")
    score_run(folder)
    for name in ("scores.json", "records.parquet"):
        assert (folder.path / name).read_bytes() == (place / "whole" / name).read_bytes(), name
    said = {
        out: {line["key"]: line["text"] for _, line in read_log(place / out / "generations.jsonl")}
        for out in ("whole", "merged")
    }
    assert said["merged"] == said["whole"]


def test_what_is_no_whole_run_is_refused_and_nothing_is_written(place: Path) -> None:
    for given, words in (
        ((1, 3), "missing of 3 shards: 2/3"),
        ((1, 2, 3, 1), "are both shard 1/3"),
    ):
        with pytest.raises(HarnessError, match=words):
            merge(parts(place, *given), place / "none")
    with pytest.raises(HarnessError, match="whole is not a shard"):
        merge([place / "whole"], place / "none")
    cut = place / "cut"
    shutil.copytree(place / "part-2", cut)
    log = cut / "trials.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-5]))
    with pytest.raises(HarnessError, match=r"5 of 600 trials are not finished: in .*cut \(2/3\)"):
        merge([*parts(place, 1, 3), cut], place / "none")
    log.write_bytes((place / "part-2" / "trials.jsonl").read_bytes())
    replies = cut / "generations.jsonl"
    replies.write_bytes(b"".join(replies.read_bytes().splitlines(keepends=True)[:-4]))
    with pytest.raises(HarnessError, match=r"4 of 600 trials are not finished: in .*cut \(2/3\)"):
        merge([*parts(place, 1, 3), cut], place / "none")
    for name in ("plan.parquet", "private/samples/task.parquet"):
        half = place / "half"
        shutil.copytree(place / "part-1", half)
        (half / name).unlink()
        with pytest.raises(HarnessError, match=f"half/{name} cannot be read"):
            merge([half, *parts(place, 2, 3)], place / "none")
        shutil.rmtree(half)
    other = place / "other"
    shutil.copytree(place / "part-2", other)
    manifest = other / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace('"identity": "rule-1"', '"identity": "rule-2"')
    )
    with pytest.raises(HarnessError, match="not parts of one run: they differ in the model rule"):
        merge([*parts(place, 1, 3), other], place / "none")
    more = pq.read_table(place / "part-3" / "plan.parquet")
    fewer = place / "fewer"
    shutil.copytree(place / "part-3", fewer)
    pq.write_table(more.slice(0, len(more) - 6), fewer / "plan.parquet")
    with pytest.raises(HarnessError, match="planned with other samples or repeats"):
        merge([*parts(place, 1, 2), fewer], place / "none")
    assert not (place / "none").exists()


def test_only_what_a_merge_wrote_is_replaced(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = place / "replaced"
    merging = ["merge", *map(str, parts(place, 1, 2, 3)), "--out", str(made)]
    assert main([*merging, "--no-report"]) == 0
    assert not (made / "report.html").exists() and "report:" not in capsys.readouterr().out
    scores = (made / "scores.json").read_bytes()
    assert main(merging) == 2
    assert "with --overwrite" in capsys.readouterr().err
    (made / "trials.jsonl").unlink()
    assert main([*merging, "--overwrite"]) == 0
    assert (made / "report.html").is_file() and (made / "scores.json").read_bytes() == scores
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name == "run":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", full)
        assert main([*merging, "--overwrite"]) == 1
    assert "No space left" in capsys.readouterr().err
    assert (made / "scores.json").read_bytes() == scores, "the earlier merge stays"
    (made / "notes.json").write_text("{}")
    assert main([*merging, "--overwrite"]) == 2
    assert "holds notes.json, which is in no shard" in capsys.readouterr().err
    assert main([*merging[:-1], str(place / "whole"), "--overwrite"]) == 2
    assert "was not written by harness merge" in capsys.readouterr().err
    assert not list(place.glob(".*unfinished*"))


def test_a_plan_tells_of_one_shard(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    asked = ["plan", str(place / "task.yaml"), "--model", "openai:m@http://127.0.0.1:9", "--json"]

    def trials(*more: str) -> int:
        assert main([*asked, *more]) == 0
        return int(json.loads(capsys.readouterr().out)["plan"]["trials"])

    counts = [trials("--shard", f"{number}/3") for number in (1, 2, 3)]
    assert sum(counts) == trials() and 0 < min(counts) < max(counts) < 150
    assert main([*asked, "--shard", "1/3", "--power"]) == 2
    assert "--shard has no effect with --power" in capsys.readouterr().err
    assert main([*asked, "--shard", "2/3", "--out", str(place / "part-1")]) == 2
    assert "holds shard 1/3, not shard 2/3" in capsys.readouterr().err


def test_a_folder_keeps_its_shard(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    with pytest.raises(HarnessError, match="holds shard 1/3, not shard 2/3"):
        run(place, "part-1", "2/3", seed=9)
    before = (place / "part-1" / "manifest.json").read_bytes()
    with pytest.raises(HarnessError, match="holds shard 1/3, not a whole run") as caught:
        run(place, "part-1", None, seed=9)
    assert "add --shard 1/3" in str(caught.value.hint)
    assert (place / "part-1" / "manifest.json").read_bytes() == before


def test_the_job_file_of_the_docs_is_right() -> None:
    file = Path(__file__).parents[2] / "docs" / "jobs" / "array.sbatch"
    assert subprocess.run(["bash", "-n", str(file)], check=False).returncode == 0
    text = file.read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == {
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_COUNT",
    }
    command = text[text.index("harness run") :].replace("\\\n", " ")
    words = re.sub(r"\$\{\w+\}", "1", command).replace('"', "").split()[1:]
    asked = build_parser("run").parse_args(words)
    assert asked.shard == "1/1" and asked.out == Path("results/runs/shard-1")
