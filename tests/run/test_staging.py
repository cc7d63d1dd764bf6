"""A command that fails before it asks leaves its folder as it was; one that was killed blocks nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import HarnessError
from harness.run.folder import RunFolder
from harness.run.manifest import read_manifest
from tests.run.keeping import PLAIN, Desk, RuleModel, contents, make_desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return make_desk(tmp_path)


class Watched(RuleModel):
    """Says whether it was closed."""

    closed = 0

    async def close(self) -> None:
        self.closed += 1


class Probed(Watched):
    """A model that must be tried, and is held to nothing."""

    async def probe(self, needs: frozenset[str]) -> None:
        """Nothing is found."""


def unreachable(desk: Desk) -> None:
    desk.run({"openai:stub@http://127.0.0.1:9": HarnessError("no server answers")}, "other")


def unknown_prompt(desk: Desk) -> None:
    desk.run(RuleModel(), "nonsense")


def faulty_prompt(desk: Desk) -> None:
    desk.write_prompt("other", PLAIN.replace("labels", "lables"))
    desk.run(RuleModel(identity="rule-2"), "other", check_models=True)


def prompt_without_question(desk: Desk) -> None:
    desk.write_prompt("other", PLAIN.replace("One of", "{{ question }} One of"))
    desk.run(RuleModel(identity="rule-2"), "other")


def label_outside(desk: Desk) -> None:
    table = desk.root / "labels.csv"
    table.write_text(table.read_text().replace("anger", "sleepy", 1))
    desk.run(RuleModel())


def no_constraint(desk: Desk) -> None:
    desk.run(RuleModel(), channels=("choice",))


def no_constraint_found(desk: Desk) -> None:
    desk.run(Probed(), channels=("choice",))


def overruled(desk: Desk) -> None:
    desk.write_prompt("long", PLAIN.replace("[emotion]", "[emotion]\nmax_tokens: 99"))
    desk.run(RuleModel(), "plain", "long", changes=("max_tokens=64",))


FAULTS = [
    (unreachable, "no server answers"),
    (unknown_prompt, "nonsense"),
    (faulty_prompt, r"other.j2, line 4: unknown variable lables\n  hint: did you mean labels\?"),
    (prompt_without_question, "other.j2, line 4: 'question' is undefined"),
    (label_outside, "sleepy"),
    (no_constraint, "which --channel choice needs"),
    (no_constraint_found, "which --channel choice needs"),
    (overruled, r"no effect on prompts with their own limit: own/long \(99\)"),
]
each_fault = pytest.mark.parametrize(
    ("fault", "message"), FAULTS, ids=lambda v: getattr(v, "__name__", "")
)


@each_fault
def test_a_command_that_fails_before_it_asks_leaves_a_run_as_it_was(
    desk: Desk, fault: Callable[[Desk], None], message: str
) -> None:
    desk.write_prompt("other", PLAIN.replace("One of", "Choose from"))
    desk.run(RuleModel())
    before = contents(desk.folder.path)
    with pytest.raises(HarnessError, match=message):
        fault(desk)
    assert contents(desk.folder.path) == before


@each_fault
def test_and_makes_no_folder(desk: Desk, fault: Callable[[Desk], None], message: str) -> None:
    desk.write_prompt("other", PLAIN.replace("One of", "Choose from"))
    with pytest.raises(HarnessError, match=message):
        fault(desk)
    assert not desk.folder.path.exists()


def test_a_variable_is_no_fault_where_the_prompt_asks_whether_it_is_defined(desk: Desk) -> None:
    guarded = "{% if extra is defined %}{{ extra }}{% endif %}{{ note | default('') }} One of"
    desk.write_prompt("other", PLAIN.replace("One of", guarded))
    assert desk.run(RuleModel(), "other").tally.failed == 0


@pytest.mark.parametrize("name", ["notes.txt", "private/mine.txt", "src/code.py"])
def test_a_folder_of_other_things_is_refused_and_stays(desk: Desk, name: str) -> None:
    """Somebody names the folder of their own things."""
    own = desk.folder.path / name
    own.parent.mkdir(parents=True)
    own.write_text("my own")
    before = contents(desk.folder.path)
    with pytest.raises(HarnessError, match=f"run is not a run folder: it holds {name[:3]}"):
        desk.run(RuleModel())
    assert contents(desk.folder.path) == before
    assert not (desk.folder.path / ".lock").exists()


def test_an_empty_folder_is_taken_and_so_is_what_a_run_left(desk: Desk) -> None:
    desk.folder.path.mkdir()
    (desk.folder.path / ".gitkeep").touch()
    desk.run(RuleModel())
    desk.folder.manifest.unlink()
    (desk.folder.path / "notes.txt").touch()
    with pytest.raises(HarnessError, match=r"notes\.txt"):
        desk.run(RuleModel())
    (desk.folder.path / "notes.txt").unlink()
    assert desk.run(RuleModel()).tally.failed == 0


def test_folders_above_a_new_one_go_too(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "results" / "runs" / "x")
    with pytest.raises(ValueError, match="stop"), folder.claimed():
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []
    with folder.claimed():
        folder.manifest.write_text("{}")
    assert folder.manifest.exists()


def test_models_opened_before_one_that_cannot_be_are_closed(desk: Desk) -> None:
    first = Watched()
    with pytest.raises(HarnessError, match="no server answers"):
        desk.run({"one": first, "two": HarnessError("no server answers")})
    assert desk.opened == ["one", "two"] and first.closed == 1
    assert not desk.folder.path.exists()


def test_models_that_were_not_asked_are_closed_once_like_those_that_were(desk: Desk) -> None:
    def fail(request: object) -> str:
        raise HarnessError("the power is out")

    first, second = Watched(fail), Watched()
    with pytest.raises(HarnessError, match="the power is out"):
        desk.run({"one": first, "two": second})
    assert (first.closed, second.closed) == (1, 1)
    first, second = Watched(), Watched()
    desk.run({"one": first, "two": second})
    assert (first.closed, second.closed) == (1, 1)


def test_a_broken_manifest_is_told_and_stays(desk: Desk) -> None:
    desk.run(RuleModel())
    desk.folder.manifest.write_text('{"schema": 1, "cells": [')
    before = contents(desk.folder.path)
    with pytest.raises(HarnessError, match=r"manifest\.json cannot be read") as error:
        desk.run(RuleModel())
    assert error.value.hint
    assert contents(desk.folder.path) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.run import staging
from tests.run.keeping import Desk, RuleModel

def die(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(sys.modules["harness.run." + sys.argv[1]], sys.argv[2], die)
Desk(Path.cwd()).run(RuleModel(), "other")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name"),
    [("runner", "write_fit"), ("runner", "build_manifest"), ("ready_run", "write_manifest")],
)
def test_a_command_that_was_killed_blocks_nothing(desk: Desk, module: str, name: str) -> None:
    desk.write_prompt("other", PLAIN.replace("One of", "Choose from"))
    desk.run(RuleModel())
    before = desk.manifest
    place = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", f"import harness.run.{module}\n{KILLED}", module, name],
        env={**os.environ, "PYTHONPATH": str(place)},
    )
    assert done.returncode == -signal.SIGKILL
    assert read_manifest(desk.folder) == before
    model = RuleModel()
    done_now = desk.run(model, "other")
    assert len(model.asked) == 12
    assert not list(desk.folder.path.glob(".*.unfinished-*"))
    assert {row.prompt for row in done_now.scores.scores} >= {"own/plain", "own/other"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"changes": ("max_tokens=64",), "max_tokens": 32}, "--set max_tokens has no effect together with --max-tokens"),
        ({"changes": ("channel=choice",), "channels": ("free",)}, "--set channel has no effect together with --channel"),
        ({"changes": ("shots=2",)}, "none of the prompts shows few-shot examples: own/plain"),
    ],
)  # fmt: skip
def test_what_is_set_without_effect_is_refused(
    desk: Desk, options: dict[str, object], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        desk.run(RuleModel(), **options)


def test_a_limit_that_is_set_holds_for_prompts_without_one(desk: Desk) -> None:
    model = RuleModel()
    desk.run(model, changes=("max_tokens=64",))
    assert {request.sampling.max_tokens for request in model.asked} == {64}


def test_what_no_sample_can_be_shown_as_is_refused_before_anything_is_asked(desk: Desk) -> None:
    for condition in ("face-crop", "region:mouth=blur", "none+region-control:eyes=mean"):
        with pytest.raises(HarnessError, match="can show no sample of task task") as caught:
            desk.run(RuleModel(), conditions=("none", condition))
        assert "add a column face_box" in caught.value.hint
    with pytest.raises(HarnessError, match=r"media\.root: there is no folder /nope"):
        desk.run(RuleModel(), changes=("media.root=/nope",))
    assert not desk.folder.path.exists()
    head, first, *rest = (desk.root / "labels.csv").read_text().splitlines()
    table = [f"{head},face_box", f"{first},4 4 20 20", *(f"{row}," for row in rest)]
    (desk.root / "labels.csv").write_text("\n".join(table))
    done = desk.run(RuleModel(), conditions=("face-crop",))
    assert (done.tally.trials, done.tally.failed) == (12, 11)
