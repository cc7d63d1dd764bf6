"""Cue audits of whole runs: changed pictures, the command, the page."""

from __future__ import annotations

import io
import json
import math
import random
from dataclasses import replace

import pytest
from PIL import Image as Pillow

from harness.cli.main import main
from harness.conditions.registry import load_condition
from harness.core.errors import HarnessError, MediaError
from harness.core.field import FieldSpec
from harness.core.generation import Generation, LabelScores
from harness.core.medium import image
from harness.core.picture import HeldPicture
from harness.cues import causes, read_sheets
from harness.score.folder import score_run
from harness.sources import open_source
from tests.run.bench import RuleModel, World

SHOWN, HIDDEN = "cue:teeth_visible=yes", "cue:teeth_visible=no"
FIELDS = {"emotion": FieldSpec(kind="label", labels="basic-7")}
TASK = """\
source: {family: faces, kind: image, n: 28, seed: 3, split: test, size: 64}
fields:
  emotion: {kind: label, labels: [anger, disgust, fear, happiness, sadness, surprise, neutral]}
  valence: {kind: number}
  teeth_visible: {kind: yes-no}
  eyebrows: {kind: label, labels: [raised, neutral, lowered, inner-raised, asymmetrical]}
  mouth: {kind: label, labels: [smile, neutral, frown, open, pressed, pursed]}
  reliance_teeth_visible: {kind: number, low: 0, high: 10, scored: false}
  reliance_eyebrows: {kind: number, low: 0, high: 10, scored: false}
  reliance_mouth: {kind: number, low: 0, high: 10, scored: false}
prompts: [cues/report]
"""


def drawn(n=6):
    options = {"family": "faces", "kind": "image", "n": n, "seed": 3, "size": 96}
    return [s.medium for s in open_source(options, fields=FIELDS, base=None)]


def test_teeth_are_shown_and_hidden_and_nothing_else_changes():
    pixels = {}
    for name in (SHOWN, HIDDEN):
        medium = load_condition(name).apply(drawn()[0])
        pixels[name] = Pillow.open(io.BytesIO(medium.frames[0].read())).convert("RGB")
        assert name in medium.changes
    box = (
        Pillow.frombytes("RGB", (96, 96), bytes(
            abs(a - b) if abs(a - b) > 8 else 0
            for a, b in zip(pixels[SHOWN].tobytes(), pixels[HIDDEN].tobytes(), strict=True)
        )).getbbox()
    )  # fmt: skip
    assert box is not None
    assert (box[2] - box[0]) * (box[3] - box[1]) < 96 * 96 / 8


def test_a_photograph_cannot_be_drawn_again():
    changed = load_condition(SHOWN).apply(image(HeldPicture("photo", b"x")))
    with pytest.raises(MediaError, match="not a drawn face"):
        changed.frames[0].read()


@pytest.mark.parametrize(
    ("name", "said"),
    [("cue:teeth_visible", "cue:NAME=VALUE"), ("cue:hat=yes", "teeth_visible"),
     ("cue:mouth=pursed", "smile"), ("cue:forehead=lined", "eyebrows")],
)  # fmt: skip
def test_unknown_changes_name_what_there_is(name, said):
    with pytest.raises(HarnessError) as caught:
        load_condition(name)
    assert said in f"{caught.value.message} {caught.value.hint}"


def teeth_reader(request):
    """A model that calls bared teeth happy and says that its brows did it. A picture's name tells what was changed."""
    picture = next(p for m in request.messages for p in m.parts if hasattr(p, "data"))
    dice = random.Random(picture.name.partition("?")[0])
    bared = {"yes": True, "no": False}.get(picture.name.partition("?teeth_visible=")[2])
    happy = dice.random() < 0.5 if bared is None else bared
    return json.dumps({
        "emotion": "happiness" if happy else "neutral",
        "valence": round(min(1.0, 0.9 * happy + dice.uniform(-0.1, 0.1)), 2),
        "teeth_visible": "yes" if happy else "no",
        "eyebrows": dice.choice(["raised", "neutral"]),
        "mouth": dice.choice(["smile", "neutral"]),
        "reliance_teeth_visible": 1, "reliance_eyebrows": 9, "reliance_mouth": 5,
    })  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("cues")
    (root / "task.yaml").write_text(TASK)
    world = World(root)
    changed = (
        "cue:eyebrows=raised",
        "cue:eyebrows=neutral",
        "cue:mouth=smile",
        "cue:mouth=neutral",
    )
    world.run(RuleModel(teeth_reader), conditions=("none", SHOWN, HIDDEN, *changed))
    score_run(world.folder)
    return world.folder


def test_the_command_tells_stated_from_caused(folder, capsys):
    assert main(["cues", str(folder.path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (audit,) = found["audits"]
    weights = {w["cue"]: w["drop"]["value"] for f in audit["fits"] for w in f["weights"]}
    assert max(weights, key=weights.get) == "teeth_visible"
    assert audit["fits"][0]["r2_held_out"]["value"] > 0.8
    changes = {
        (effect["cue"], effect["outcome"]): effect["change"]["value"]
        for _, effect, _ in found["causes"]["effects"]
    }
    assert changes["teeth_visible", "valence"] > 0.2
    assert abs(changes["eyebrows", "valence"]) < 0.2
    faithful = {measure: faith for _, measure, faith in found["causes"]["faithful"]}
    assert faithful.keys() == {"label changed", "change of valence"}
    faith = faithful["change of valence"]
    assert faith["correlation"]["high"] < 0.5
    assert faith["stated_by"] == ["cues/report"]


def test_the_page_needs_nothing_else(folder, capsys):
    assert main(["cues", str(folder.path)]) == 0
    said = capsys.readouterr().out
    assert "Effect of changing one cue" in said
    page = (folder.path / "cues.html").read_text()
    assert page.count("<svg") == 3
    assert "http" not in page.replace("http-equiv", "")
    assert page.count('<img src="data:image/webp;base64,') == 3 * 3 * 3
    again = page
    assert main(["cues", str(folder.path)]) == 0
    assert (folder.path / "cues.html").read_text() == again


def test_a_run_without_cues_is_told_what_to_run(tmp_path, capsys):
    (tmp_path / "task.yaml").write_text(
        "source: {family: faces, kind: image, n: 14, size: 64}\n"
        "fields: {emotion: {kind: label, labels: basic-7}}\nprompts: [emotion/plain]\n"
    )
    world = World(tmp_path)
    world.run(RuleModel())
    score_run(world.folder)
    assert main(["cues", str(world.folder.path)]) == 2
    assert "faces/introspection" in capsys.readouterr().err


def test_probabilities_are_the_outcome_where_the_channel_gives_them(tmp_path):
    (tmp_path / "task.yaml").write_text(
        "source: {family: faces, kind: image, n: 28, size: 64}\n"
        "fields: {emotion: {kind: label, labels: [happiness, neutral]}}\n"
        "channel: logprob\nprompts: [emotion/plain]\n".replace("[happiness, neutral]", "basic-7")
    )

    class Scoring(RuleModel):
        @property
        def card(self):
            return replace(super().card, estimators=("continuation",))

        async def reply(self, request):
            happy = 0.7 if "happiness" in teeth_reader(request) else 0.2
            labels = request.candidates
            rest = (1 - happy) / (len(labels) - 1)
            logs = tuple(math.log(happy if name == "happiness" else rest) for name in labels)
            return Generation(
                request.key, "happiness", "stop",
                scores=LabelScores(labels, logs, (2,) * len(labels), "continuation"),
            )  # fmt: skip

    world = World(tmp_path)
    world.run(Scoring(), conditions=(SHOWN, HIDDEN))
    score_run(world.folder)
    found = causes(read_sheets(world.folder)[1])
    ((_, effect, verdict),) = found.effects
    assert effect.outcome == "P(happiness)"
    assert verdict in {"caught", "undecided"}
    assert effect.change.value > 0
