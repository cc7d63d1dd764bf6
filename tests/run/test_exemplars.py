"""Few-shot examples: which are drawn, how they are shown, and what a run keeps of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from harness.cli.main import main
from harness.conditions.presentation import Presentation, read_presentation
from harness.conditions.registry import load_condition
from harness.conditions.shots import MOST_SHOTS, of_examples
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.folders import shipped_folder
from harness.core.medium import image
from harness.core.message import Image
from harness.core.model import Card
from harness.core.picture import HeldPicture
from harness.core.request import Request
from harness.core.sample import Sample
from harness.core.task import Task
from harness.exports.manifest import export_manifest
from harness.prompting.library import Library
from harness.prompting.lint import lint
from harness.run.axes import Axes
from harness.run.capability_check import check_pictures
from harness.run.exemplars import ExamplePool, kind_of, read_pool
from harness.run.log import read_log
from harness.run.manifest import read_manifest
from harness.run.plan import make_plan
from harness.run.prompt_choice import conditions_of
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from tests.run.bench import TASK, RuleModel, make_world, write_pictures

FEW = ("emotion/few-shot-image",)
LABELS = ("anger", "happiness", "neutral")
TASK_3 = Task(
    source={"family": "table"},
    fields={"emotion": FieldSpec(kind="label", labels=LABELS)},
    prompts=FEW,
)


def sample(name: str, label: str, subject: str | None) -> Sample:
    picture = HeldPicture(f"{name}.png", name.encode())
    return Sample(name, image(picture), {"emotion": label}, cluster=subject)


def pool_of(samples: list[Sample], seed: int = 0) -> ExamplePool:
    return ExamplePool(TASK_3, seed, {}, "digest", {kind_of(samples[0], TASK_3): samples})


def drawn(pool: ExamplePool, one: Sample, shots: int) -> tuple[Sample, ...]:
    return pool.draw(one, pool.labels(kind_of(one, TASK_3), ("emotion",), shots), shots)


@given(st.integers(0, 50), st.integers(1, 9), st.integers(3, 8))
def test_examples_are_balanced_of_other_subjects_and_the_same_each_time(
    seed: int, shots: int, subjects: int
) -> None:
    samples = [
        sample(f"{label}-{s}-{k}", label, f"s{s}")
        for label in LABELS
        for s in range(subjects)
        for k in range(2)
    ]
    pool = pool_of(samples, seed)
    for one in samples[::5]:
        shown = drawn(pool, one, shots)
        counts = Counter(str(s.targets["emotion"]) for s in shown)
        assert len(shown) == len({s.id for s in shown}) == shots
        assert max(counts.values()) - min(counts[label] for label in LABELS) <= 1
        assert all(s.cluster != one.cluster for s in shown)
        assert drawn(pool, one, shots) == shown
        assert drawn(pool, one, 1) == shown[:1], "more shots keep those of fewer"


def test_each_label_comes_first_about_equally_often() -> None:
    samples = [sample(f"{label}-{s}", label, f"s{s}") for label in LABELS for s in range(40)]
    first = Counter(drawn(pool_of(samples), s, 1)[0].targets["emotion"] for s in samples)
    assert all(24 <= first[label] <= 56 for label in LABELS)


def test_a_label_that_one_subject_alone_shows_is_shown_to_nobody() -> None:
    """Missing only where it is the subject's own, it would give the answer away."""
    samples = [sample(f"a{s}", "anger", f"s{s}") for s in range(4)]
    samples += [sample(f"h{s}", "happiness", f"s{s}") for s in range(4)]
    samples += [sample(f"n{k}", "neutral", "s0") for k in range(9)]
    pool = pool_of(samples)
    for one in samples:
        assert {s.targets["emotion"] for s in drawn(pool, one, 2)} == {"anger", "happiness"}


def test_too_few_examples_are_told() -> None:
    samples = [sample("a", "anger", "s0"), sample("b", "anger", "s0")]
    with pytest.raises(HarnessError, match="cannot draw 2 few-shot examples: 2 samples"):
        drawn(pool_of(samples), samples[0], 2)


@pytest.mark.parametrize(
    ("condition", "base", "shots"),
    [
        ("shots-4", "none", 4),
        ("blank+shots-12", "blank", 12),
        ("cue:teeth_visible=yes+shots-1", "cue:teeth_visible=yes", 1),
    ],
)
def test_names_of_conditions_with_shots(condition: str, base: str, shots: int) -> None:
    assert read_presentation(condition) == Presentation(base, shots)
    assert Presentation(base, shots, "reversed").name == f"{condition}+label-order:reversed"
    assert read_presentation(f"{condition}+label-order:reversed").name.startswith(condition)


@pytest.mark.parametrize("name", ["shots-0", f"shots-{MOST_SHOTS + 1}", "shots-1+shots-2"])
def test_a_number_of_shots_that_does_not_suit_is_refused(name: str) -> None:
    with pytest.raises(HarnessError, match="is not a number of few-shot examples"):
        read_presentation(name)


@pytest.mark.parametrize(
    ("condition", "examples"),
    [
        ("none", "none"),
        ("apex", "apex"),
        ("blank", "none"),
        ("cue:teeth_visible=yes", "none"),
        ("apex+optical-flow", "apex+optical-flow"),
        ("apex+blank", "apex"),
    ],
)
def test_examples_are_shown_as_the_sample_is_but_never_disturbed(
    condition: str, examples: str
) -> None:
    assert of_examples(load_condition(condition)).name == examples


def test_a_run_shows_examples_and_keeps_their_ids(tmp_path: Path) -> None:
    world = make_world(tmp_path, 24)
    model = RuleModel()
    _, tally = world.run(model, prompts=FEW, conditions=("none", "shots-2"), limit=5)
    assert (tally.trials, tally.failed) == (10, 0)
    few = [r for r in model.asked if len(r.messages) > 2]
    assert [m.role for m in few[0].messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert len(few) == 5
    for request in few:
        said = [m.text for m in request.messages if m.role == "assistant"]
        assert sorted(said) == ["anger", "happiness"]
    records = [r for _, r in read_log(world.folder.trials) if "shown" in r]
    assert len(records) == 5
    for record in records:
        own = record["trial"].rpartition("/")[2]
        assert own not in record["shown"]["exemplars"]
        assert len(record["shown"]["exemplars"]) == 2
    entry = read_manifest(world.folder)["tasks"]["task"]["exemplars"]
    assert entry["held"] == {"anger": 12, "happiness": 12}
    assert "never" not in entry["from"]


def test_a_second_start_asks_nothing_and_a_changed_example_asks_anew(tmp_path: Path) -> None:
    world = make_world(tmp_path, 24)
    world.run(RuleModel(), prompts=FEW, conditions=("shots-3",))
    again = RuleModel()
    _, tally = world.run(again, prompts=FEW, conditions=("shots-3",))
    assert (len(again.asked), tally.reused) == (0, 24)
    shown = [r["shown"]["exemplars"] for _, r in read_log(world.folder.trials)]
    picked = shown[0][0]
    Pillow.new("RGB", (32, 32), (1, 250, 9)).save(tmp_path / picked)
    world.run(again, prompts=FEW, conditions=("shots-3",))
    assert len(again.asked) >= sum(picked in ids for ids in shown)


def test_examples_come_from_the_data_that_the_task_names(tmp_path: Path) -> None:
    text = TASK + "exemplars: {file: train/labels.csv}\nshots: 2\n"
    world = make_world(tmp_path, 6, text)
    write_pictures(
        tmp_path / "train",
        [(f"t{k}.png", label, f"t{k}") for k, label in enumerate(["anger", "happiness"] * 3)],
    )
    model = RuleModel()
    plan, _ = world.run(model, prompts=("emotion/plain", *FEW))
    assert [(c.prompt, c.shown_condition) for c in plan.cells] == [
        ("emotion/plain", "none"), (FEW[0], "shots-2"),
    ]  # fmt: skip
    records = [r["shown"]["exemplars"] for _, r in read_log(world.folder.trials) if "shown" in r]
    assert len(records) == 6
    assert all(name.startswith("t") for ids in records for name in ids)


def test_an_export_hides_where_examples_come_from(tmp_path: Path) -> None:
    world = make_world(tmp_path, 6, TASK + "exemplars: {file: train/labels.csv}\nshots: 1\n")
    write_pictures(
        tmp_path / "train",
        [(f"t{k}.png", ("anger", "happiness")[k % 2], f"t{k}") for k in range(6)],
    )
    world.run(RuleModel(), prompts=FEW)
    manifest = read_manifest(world.folder)
    told = export_manifest(manifest, {"rule": "rule"}, prompts=False)["tasks"]["task"]
    assert "labels.csv" not in json.dumps(told)
    assert told["exemplars"]["digest"] != manifest["tasks"]["task"]["exemplars"]["digest"]


def test_the_same_picture_under_another_name_is_not_shown(tmp_path: Path) -> None:
    """The sample's own answer would stand before its question."""
    world = make_world(tmp_path, 12)
    for k in (2, 4, 6, 8):  # a fifth stays of its own
        (tmp_path / f"p{k}.png").write_bytes((tmp_path / "p0.png").read_bytes())
    model = RuleModel()
    world.run(model, prompts=FEW, conditions=("shots-2",))
    twins = {f"p{k}.png" for k in (0, 2, 4, 6, 8)}
    for _, record in read_log(world.folder.trials):
        if record["trial"].rpartition("/")[2] in twins:
            assert not twins & set(record["shown"]["exemplars"])


def test_an_example_without_its_picture_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    world = make_world(tmp_path, 8)
    (tmp_path / "p1.png").unlink()
    _, tally = world.run(RuleModel(), prompts=FEW, conditions=("shots-3",))
    failed = [r["failure"] for _, r in read_log(world.folder.trials) if "failure" in r]
    assert tally.trials == 8
    assert 1 < len(failed) < 8
    assert any("few-shot example p1.png" in f["detail"] for f in failed)
    assert {f["kind"] for f in failed} == {"media"}


def test_pictures_of_examples_count_against_what_a_model_takes(tmp_path: Path) -> None:
    world = make_world(tmp_path, 12)
    plan, tally = world.run(RuleModel(max_images=2), prompts=FEW, conditions=("shots-2",))
    assert tally.failed == tally.trials
    assert "accepts 2" in tally.first_failure
    library = Library((shipped_folder(),))
    axes = Axes(models=("rule",))
    with pytest.raises(HarnessError, match="shows 3 that cannot be combined") as error:
        check_pictures(plan, axes, {"rule": Card("rule", "id", max_images=2)}, library)
    assert error.value.hint == "use --shots 1"
    check_pictures(plan, axes, {"rule": Card("rule", "id", max_images=3)}, library)
    check_pictures(plan, axes, {"rule": Card("rule", "id")}, library)


def test_examples_side_by_side_may_become_a_contact_sheet(tmp_path: Path) -> None:
    (tmp_path / "prompts" / "mine").mkdir(parents=True)
    (tmp_path / "prompts" / "mine" / "side.j2").write_text(
        "---\nfields: [emotion]\n---\n{% user %}"
        '{{ exemplars | map(attribute="image") | join("\\n") }}\n'
        '{{ exemplars | map(attribute="emotion") | join(", ") }}\n{{ image }} Which emotion?{% enduser %}\n'
    )
    world = make_world(tmp_path, 12)
    world.prompts = (tmp_path / "prompts",)
    model = RuleModel(max_images=2)
    plan, tally = world.run(model, prompts=("mine/side",), conditions=("shots-2",))
    check_pictures(plan, Axes(models=("rule",)), {"rule": model.card}, Library(world.prompts))
    assert (tally.failed, tally.fallbacks) == (0, {"contact-sheet": 12})
    assert all(_pictures(request) == 2 for request in model.asked)


def _pictures(request: Request) -> int:
    return sum(isinstance(part, Image) for m in request.messages for part in m.parts)


def test_prompts_without_examples_run_without_and_none_at_all_is_told(tmp_path: Path) -> None:
    library = Library((shipped_folder(),))
    few, plain = (library.prompt(name) for name in (*FEW, "emotion/plain"))
    axes = Axes(models=("m",), shots=(0, 2))
    none, two, three = Presentation("none"), Presentation("none", 2), Presentation("none", 3)
    found = conditions_of(TASK_3, axes, (few, plain), library)
    assert found == {few.name: (none, two), plain.name: (none,)}
    with pytest.raises(HarnessError, match="none of the prompts shows few-shot examples"):
        conditions_of(TASK_3, axes, (plain,), library)
    assert conditions_of(
        TASK_3.model_copy(update={"shots": 3}), Axes(models=()), (few, plain), library
    ) == {few.name: (three,), plain.name: (none,)}


def test_without_examples_the_few_shot_prompt_is_the_plain_one(tmp_path: Path) -> None:
    world = make_world(tmp_path, 6)
    model = RuleModel()
    _, tally = world.run(model, prompts=(*FEW, "emotion/plain"))
    assert (tally.trials, len(model.asked)) == (12, 6)


def test_a_source_that_cannot_be_read_is_told_as_that_of_the_examples(tmp_path: Path) -> None:
    world = make_world(tmp_path, 6, TASK + "exemplars: {file: nowhere.csv}\n")
    task = load_task(str(tmp_path / "task.yaml"), open_workspace(tmp_path, prompts=()))
    with pytest.raises(HarnessError, match=r"task task, few-shot examples: .*nowhere\.csv"):
        read_pool(task, seed=0, here=world.root)


def test_lint_renders_the_examples_too(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "few.j2").write_text(
        "---\nfields: [emotion]\n---\n{% for shot in exemplars %}"
        "{% user %}{{ shot.image }}{% enduser %}{% assistant %}{{ shot.emotoin }}{% endassistant %}"
        "{% endfor %}{% user %}{{ image }} Which emotion?{% enduser %}\n"
    )
    library = Library((tmp_path,))
    (finding,) = lint(library, library.prompt("mine/few"))
    assert finding.code == "does-not-render"
    assert "emotoin" in finding.message


def test_questions_are_shown_examples_of_their_own_kind(tmp_path: Path) -> None:
    """A question about action units has no use for an example about the emotion."""
    place = open_workspace(tmp_path, prompts=())
    task = load_task("faces/me-vqa", place, changes=["source.n=6"])
    pool = read_pool(task, seed=0, here=tmp_path)
    for kind, samples in pool.held.items():
        assert {one.annotations["question_kind"] for one in samples} == {kind.part}
        assert {one.asked_of(task.fields) for one in samples} == {kind.asked}


def test_plan_and_show_tell_of_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_world(tmp_path, 12)
    monkeypatch.chdir(tmp_path)
    asked = ["task.yaml", "--prompt", *FEW, "--shots", "2"]
    assert main(["plan", *asked, "--model", "affect-tiny", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)["plan"]
    assert [cell["condition"] for cell in body["cells"]] == ["shots-2"]
    assert any("few-shot examples from the task's own samples" in note for note in body["notes"])
    assert main(["show", *asked]) == 0
    text = capsys.readouterr().out
    assert text.count("few-shot example p") == 2
    assert "image 3   " in text
    assert "--- assistant\nanger" in text
    assert main(["plan", *asked, "--model", "affect-tiny", "--max-images", "1"]) == 2
    assert "accepts 1 picture per request" in capsys.readouterr().err


def test_make_plan_reads_examples_only_where_a_cell_shows_some(tmp_path: Path) -> None:
    world = make_world(tmp_path, 6, TASK + "exemplars: {file: nowhere.csv}\n")
    world.folder.create()
    place = open_workspace(tmp_path, prompts=())
    task = load_task(str(tmp_path / "task.yaml"), place)
    library = Library(place.prompts)
    axes = Axes(models=("rule",), prompts=FEW)
    plan = make_plan([task], axes, library, world.folder, here=tmp_path)
    assert plan.tasks["task"].pool is None
