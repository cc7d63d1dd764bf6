"""Leave-one-subject-out choice of a prompt, against the same by hand with scikit-learn."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from sklearn.metrics import recall_score

from harness.compare.candidates import Side
from harness.compare.loso import select_loso, selection_blocks
from harness.core.errors import HarnessError
from harness.core.message import Image
from harness.core.request import Request
from harness.run.manifest import read_manifest
from harness.score.folder import score_run
from harness.score.records import read_records
from tests.run.bench import RuleModel, World, make_world

LABELS = ("anger", "happiness")


def rule(request: Request) -> str:
    """Right or wrong as a hash of prompt and picture has it; the longer prompt errs more often."""
    text = request.messages[-1].text
    picture = next(p for m in request.messages for p in m.parts if isinstance(p, Image))
    number = int(hashlib.sha256((text[-40:] + picture.digest).encode()).hexdigest(), 16)
    label = LABELS[number % 2]
    return f"Answer: {label}" if "Answer:" in text else label


def side(world: World) -> Side:
    return Side("run", world.folder, read_manifest(world.folder))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path, count=36)
    made.run(RuleModel(rule=rule), prompts=("emotion/plain", "emotion/cot"))
    score_run(made.folder)
    return made


def by_hand(world: World) -> tuple[float, dict[str, int], dict[str, float]]:
    rows = read_records(world.folder)
    said = {(r["prompt"], r["sample"]): r["value"] for r in rows}
    truth = {r["sample"]: r["target"] for r in rows}
    cluster = {r["sample"]: r["cluster"] for r in rows}
    prompts = ("emotion/plain", "emotion/cot")

    def uar(pairs: list[tuple[str, str]]) -> float:
        true, found = zip(*pairs, strict=True)
        return float(recall_score(true, found, average="macro", labels=sorted(set(true))))

    pooled: list[tuple[str, str]] = []
    chosen = dict.fromkeys(prompts, 0)
    for subject in sorted(set(cluster.values())):
        others = [s for s in truth if cluster[s] != subject]
        best = max(prompts, key=lambda p: uar([(truth[s], str(said[p, s])) for s in others]))
        chosen[best] += 1
        pooled += [(truth[s], str(said[best, s])) for s in truth if cluster[s] == subject]
    alone = {p: uar([(truth[s], str(said[p, s])) for s in truth]) for p in prompts}
    return uar(pooled), chosen, alone


def test_the_choice_is_that_made_by_hand(world: World) -> None:
    (found,) = select_loso([side(world)])
    value, chosen, alone = by_hand(world)
    assert (found.metric, found.subjects, found.n, found.unit) == ("uar", 12, 36, "subject")
    assert found.selected.value == pytest.approx(value)
    assert dict(found.chosen) == chosen
    for prompt, estimate in found.prompts.items():
        assert estimate.value == pytest.approx(alone[prompt])
    assert alone[found.best] == max(alone.values())
    assert found.selected.low <= found.selected.value <= found.selected.high
    assert found.selected.value <= max(alone.values()) + 1e-9


def test_the_same_seed_gives_the_same_interval(world: World) -> None:
    assert select_loso([side(world)], seed=3) == select_loso([side(world)], seed=3)


def test_the_table_names_every_prompt_and_what_was_chosen(world: World) -> None:
    table, remark = selection_blocks(select_loso([side(world)]))
    assert [row[0].split(" (")[0] for row in table.rows] == [
        "chosen on the other subjects",
        "emotion/plain",
        "emotion/cot",
    ]
    assert sum(int(row[3] or 0) for row in table.rows) == 12
    assert "new subject" in remark.remarks[0]


def test_one_prompt_is_no_choice(tmp_path: Path) -> None:
    made = make_world(tmp_path, count=6)
    made.run(RuleModel(rule=rule), prompts=("emotion/plain",))
    with pytest.raises(HarnessError, match="two or more prompts"):
        select_loso([side(made)])


def test_one_subject_cannot_be_left_out(tmp_path: Path) -> None:
    made = make_world(tmp_path, count=3)
    made.run(RuleModel(rule=rule), prompts=("emotion/plain", "emotion/cot"))
    with pytest.raises(HarnessError, match="only one subject"):
        select_loso([side(made)])


def test_the_command_prints_it(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.cli.main import main

    monkeypatch.chdir(world.root)
    assert main(["compare", str(world.folder.path), "--select", "loso"]) == 0
    assert "chosen on the other subjects" in capsys.readouterr().out
    assert main(["compare", str(world.folder.path), "--select", "loso", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert set(found["prompts"]) == {"emotion/plain", "emotion/cot"}
