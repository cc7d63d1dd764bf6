from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Run

SHARED = Path(__file__).parents[3] / "shared" / "data"
HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "pyarrow",
    "numpy",
    "pandas",
    "pydantic",
    "jinja2",
    "aiohttp",
    "PIL",
)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom harness.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "run" in done.stdout


def test_a_list_of_tasks_loads_neither_models_nor_prompts(tmp_path: Path) -> None:
    unneeded = ("aiohttp", "asyncio", "jinja2", "pandas", "PIL", "pyarrow", "harness.core.generation", "harness.enhancers",
        "harness.models", "harness.prompting", "harness.run.config_file", "harness.sources", "harness.stats")  # fmt: skip
    code = (
        "import sys\nfrom harness.cli.main import main\nassert main(['list', 'tasks']) == 0\n"
        f"print([m for m in {unneeded!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_of_every_command(harness: Run) -> None:
    for command in (
        "run",
        "plan",
        "score",
        "compare",
        "report",
        "list",
        "show",
        "lint",
        "faces",
        "doctor",
    ):
        done = harness(command, "--help")
        assert done.returncode == 0
        assert "usage: harness " + command in done.stdout


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("tasks", "table/emotion"),
        ("prompts", "emotion/cot"),
        ("models", "affect-tiny"),
        ("conditions", "blank"),
    ],
)
def test_list_names_what_there_is(harness: Run, kind: str, known: str) -> None:
    done = harness("list", kind)
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert len(lines[known].split()) > 2, "each with a line of its own"


def test_show_gives_the_pictures_path_and_the_exact_messages(data: Path, harness: Run) -> None:
    done = harness(
        "show", "table/emotion", "--set", "source.file=labels.csv", "--set", "source.label=emotion",
        "--prompt", "emotion/plain", "--prompt", "emotion/describe",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(data / "p0.png") in done.stdout
    assert "(32x32, " in done.stdout
    assert "[image 1]" in done.stdout
    assert "anger, happiness" in done.stdout
    assert "its text becomes `description`" in done.stdout


def test_show_works_where_the_picture_is_missing(data: Path, harness: Run) -> None:
    (data / "p0.png").unlink()
    done = harness(
        "show", "table/emotion", "--set", "source.file=labels.csv", "--set", "source.label=emotion"
    )
    assert done.returncode == 0
    assert "cannot be shown: picture not found" in done.stdout
    assert "[image 1]" in done.stdout


def test_show_renders_one_question_of_each_kind(harness: Run) -> None:
    done = harness("show", "faces/me-vqa", "--each", "question_kind", "--prompt", "vqa/guided")
    assert done.returncode == 0, done.stderr
    for question in (
        "What is the coarse expression class?",
        "What is the fine-grained expression class?",
        "shown on the face?",
        "and based on",
    ):
        assert question in done.stdout
    assert done.stdout.count("image 3 ") >= 5, "onset, apex and offset"


@pytest.mark.skipif(not (SHARED / "megc").is_dir(), reason="private data not there")
def test_show_renders_a_real_question_of_each_kind(tmp_path: Path, harness: Run) -> None:
    done = harness(
        "show", "megc/me-vqa", "--set", f"source.file={SHARED}/megc/me_vqa_samm.jsonl",
        "--set", "fields.fine.labels=samm-fine", "--each", "question_kind",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("--- user") >= 6


def test_lint_is_clean_and_finds_a_bad_prompt(tmp_path: Path, harness: Run) -> None:
    assert harness("lint").returncode == 0
    own = tmp_path / "own" / "emotion"
    own.mkdir(parents=True)
    (own / "bad.j2").write_text(
        "---\nfields: [emotion]\n---\n{% user %}{{ imagee }} Which?{% enduser %}\n"
    )
    done = harness("lint", "emotion/bad", "--prompts", str(tmp_path / "own"))
    assert done.returncode == 1
    assert "bad.j2:4" in done.stdout
    assert "imagee" in done.stdout


@pytest.mark.parametrize("kind", ["image", "clip"])
def test_faces_are_drawn_with_their_annotations(tmp_path: Path, harness: Run, kind: str) -> None:
    for out in ("a", "b"):
        done = harness("faces", "draw", "--kind", kind, "--n", "2", "--seed", "3", "--out", out)
        assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "a" / "annotations.parquet").to_pylist()
    assert len(table) == 2
    assert {"id", "emotion", "action_units", "subject"} <= set(table[0])
    files = sorted(
        p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()
    )
    assert len([f for f in files if f.suffix == ".png"]) >= 2
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    if kind == "clip":
        first = json.loads((tmp_path / "a" / "me_vqa_drawn.jsonl").read_text().splitlines()[0])
        assert list(first) == [
            "id",
            "dataset",
            "image_id",
            "subject",
            "filename",
            "question",
            "answer",
        ]
    again = harness("faces", "draw", "--kind", kind, "--n", "2", "--out", "a")
    assert again.returncode == 2
    assert "a" in again.stderr


def test_drawn_files_run_through_the_generic_table(tmp_path: Path, harness: Run) -> None:
    harness("faces", "draw", "--kind", "image", "--n", "14", "--seed", "3", "--out", "drawn")
    done = harness(
        "run", "table/emotion", "--set", "source.file=drawn/annotations.parquet", "--set", "source.image=image",
        "--set", "source.label=emotion", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"][0]["n"] == 14


def test_doctor_says_what_works(harness: Run) -> None:
    done = harness("doctor")
    assert done.returncode == 0, done.stdout
    assert "prompts and" in done.stdout
    assert "Python 3." in done.stdout
