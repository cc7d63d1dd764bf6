"""What `import harness` shows: it costs nothing, is typed, and says of every name what it takes, gives and raises."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import harness
from tests.cli.test_commands import HEAVY

ROOT = Path(harness.__file__).parent
FUNCTIONS = ("aevaluate", "draw", "evaluate", "load_task", "open_run")
METHODS = [
    f"Run.{name}"
    for name, member in vars(harness.Run).items()
    if not name.startswith("_") and (callable(member) or isinstance(member, property))
]


def test_importing_it_loads_nothing_heavy_and_the_version_is_there() -> None:
    code = (
        "import sys, harness\nharness.__version__, dir(harness)\n"
        f"print([m for m in {(*HEAVY, 'asyncio', 'harness.api')!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_scores_need_pandas_alone_when_they_are_asked_for() -> None:
    code = "import sys, harness\nharness.Run, harness.evaluate\nprint('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert name in dir(harness)
    found = getattr(harness, name)
    if name != "__version__":
        assert len(inspect.getdoc(found) or "") > 30


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        harness.evalute  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_docstrings_say_what_comes_back_and_what_is_raised(name: str) -> None:
    found: object = harness
    for part in name.split("."):
        found = getattr(found, part)
    said = inspect.getdoc(found) or ""
    assert "raises" in said.lower() or "rows of `records`" in said or "same errors" in said, name
    if not isinstance(found, property):
        for parameter in inspect.signature(found).parameters:  # type: ignore[arg-type]
            if name not in {"evaluate", "aevaluate", "Run.compare"} and parameter != "self":
                assert parameter in said, (name, parameter)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("scores", "SCORE_COLUMNS"), ("records", "RECORD_COLUMNS"), ("outcomes", "OUTCOME_COLUMNS"),
        ("cells", "CELL_COLUMNS"),
    ],
)  # fmt: skip
def test_docstrings_name_every_column(name: str, columns: str) -> None:
    from harness.api import frames

    said = inspect.getdoc(getattr(harness.Run, name)) or ""
    for column in getattr(frames, columns):
        assert column in said, (name, column)


def test_the_signature_shows_every_option_with_its_default() -> None:
    parameters = inspect.signature(harness.evaluate).parameters
    assert list(parameters)[:3] == ["task", "model", "models"]
    assert parameters["repeats"].default == 1
    assert parameters["max_error_rate"].default == 0.2
    assert parameters["progress"].default is True
    assert set(parameters) == {"task", *harness.EvaluateOptions.__annotations__}


SCRIPT = """
import asyncio
import harness
from harness.core.generation import Generation
from harness.core.model import Card
from harness.core.request import Request


class Mine:
    @property
    def card(self) -> Card:
        return Card(name="mine", identity="mine-1")

    async def reply(self, request: Request) -> Generation:
        return Generation(key=request.key, text="anger", finish="stop")

    async def close(self) -> None:
        return None


def main() -> None:
    run: harness.Run = harness.evaluate(
        "table/emotion", model=Mine(), prompts=["emotion/plain"], source={"file": "labels.csv"}, temperature=0.5
    )
    print(run.scores(), run.compare(prompt=("a", "b")), run.rescore(metrics=["uar"]).path.name, harness.__version__)
    faces: list[harness.DrawnFace] = harness.draw(2)
    print(faces[0].pixels.shape)
    try:
        asyncio.run(harness.aevaluate(harness.load_task("table/emotion"), model=Mine()))
    except harness.HarnessError as error:
        print(error.hint)
"""


@pytest.mark.slow
def test_a_users_script_is_checked_strictly(tmp_path: Path) -> None:
    assert (ROOT / "py.typed").is_file()
    (tmp_path / "good.py").write_text(SCRIPT)
    (tmp_path / "bad.py").write_text(
        'import harness\nharness.evaluate("t", promts=["a"])\nharness.open_run(3)\n'
    )

    def check(name: str) -> str:
        command = [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            str(tmp_path / "cache"),
            name,
        ]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=280
        ).stdout

    assert check("good.py").startswith("Success")
    told = check("bad.py")
    assert 'bad.py:2: error: Unexpected keyword argument "promts"' in told
    assert "bad.py:3: error" in told


def test_drawn_faces_in_memory_and_in_a_folder(tmp_path: Path) -> None:
    face, other = harness.draw(2, seed=3)
    assert face.pixels.shape == (224, 224, 3)
    assert face.image.size == (224, 224)
    assert face.image.tobytes() == face.pixels.tobytes()
    assert face._repr_png_().startswith(b"\x89PNG")
    assert {"emotion", "valence", "action_units", "teeth_visible"} <= set(face.annotations)
    table = harness.draw(2, seed=3, out=tmp_path / "faces")
    assert isinstance(table, pd.DataFrame)
    assert table["emotion"].tolist() == [face.annotations["emotion"], other.annotations["emotion"]]
    assert (tmp_path / "faces" / table["image"][0]).read_bytes() == face._repr_png_()
    assert repr(face) == f"<DrawnFace 224 by 224: {face.annotations['emotion']}>"


@pytest.mark.parametrize(
    "asked",
    [{"n": 0}, {"size": 3}, {"kind": "clip"}, {"labels": ["happy"]}, {"seed": -1}, {"out": "."}],
)
def test_what_cannot_be_drawn_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(harness.HarnessError):
        harness.draw(**asked)  # type: ignore[call-overload]
