"""Classifiers as models: what they see, what they say, and what they refuse."""

from __future__ import annotations

import asyncio
import io
import json
from math import exp
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from harness.answers.outputs import match_outputs, without_output
from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Image, Message, Video
from harness.core.request import Request, Sampling, make_request
from harness.faces import draw, encode_png, face_at
from harness.models.registry import open_model, outputs_of, runs_here
from harness.models.specialists.card import SpecialistCard
from harness.models.specialists.engine import SpecialistEngine
from harness.models.specialists.network import network_input
from tests.specialists.networks import LABELS, card, write_onnx, write_tflite

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fer"
BASIC = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def png(picture: Pillow.Image) -> bytes:
    held = io.BytesIO()
    picture.save(held, "PNG")
    return held.getvalue()


def ask(*pictures: Pillow.Image, labels: tuple[str, ...]) -> Request:
    parts = tuple(Image(f"{n}.png", png(one)) for n, one in enumerate(pictures))
    return make_request((Message("user", parts),), Sampling(), model="m", candidates=labels)


def replies(spec: str, *requests: Request) -> list[Generation]:
    model = open_model(spec)

    async def run() -> list[Generation]:
        found = await asyncio.gather(*(model.reply(one) for one in requests))
        await model.close()
        return list(found)

    return asyncio.run(run())


def shares(reply: Generation) -> dict[str, float]:
    assert reply.scores is not None and reply.scores.estimator == "distribution"
    return {n: exp(p) for n, p in zip(reply.scores.labels, reply.scores.logprobs, strict=True)}


@pytest.mark.slow
def test_fer_says_what_the_original_says() -> None:
    """`fer.json` was made once with Keras from the original's own file; see its `made_with`."""
    golden = json.loads((GOLDEN / "fer.json").read_text())
    wanted = golden["probabilities"]
    asked = [ask(Pillow.open(GOLDEN / name), labels=BASIC) for name in wanted]
    for reply, own in zip(replies("specialist:fer", *asked), wanted.values(), strict=True):
        found = list(shares(reply).values())
        assert found == pytest.approx(own, abs=1e-5)
        assert reply.text == BASIC[int(np.argmax(own))]


@pytest.mark.slow
def test_shares_are_those_of_the_labels_asked_for() -> None:
    face = Pillow.open(GOLDEN / "1.png")
    every, some, others, one = replies(
        "specialist:fer", ask(face, labels=BASIC), ask(face, labels=("Sad", "happy")),
        ask(face, labels=("anger", "contempt")), ask(face, labels=("yes", "no")),
    )  # fmt: skip
    all_shares, two = shares(every), shares(some)
    assert two["Sad"] == pytest.approx(
        all_shares["sadness"] / (all_shares["sadness"] + all_shares["happiness"]), abs=1e-5
    )
    assert sum(two.values()) == pytest.approx(1, abs=1e-5)
    assert others.failure is not None and others.failure.kind == "unsupported"
    assert "no output for contempt" in others.failure.detail
    assert one.failure is not None and "yes, no" in one.failure.detail


@pytest.fixture(params=["onnx", "tflite"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    kind, file = request.param, tmp_path / f"colour.{request.param}"
    (write_onnx if kind == "onnx" else write_tflite)(file)
    file.with_suffix(".yaml").write_text(card("nchw" if kind == "onnx" else "nhwc"))
    return f"specialist:{kind}:{file}", file


def test_a_network_in_a_file_is_asked(network: tuple[str, Path]) -> None:
    spec, _ = network
    red = Pillow.new("RGB", (40, 30), (255, 0, 51))
    first, clip, again = replies(
        spec, ask(red, labels=LABELS),
        ask(red, Pillow.new("RGB", (16, 16), (0, 255, 0)), labels=LABELS), ask(red, labels=LABELS),
    )  # fmt: skip
    total = exp(1) + 1 + exp(0.2)
    one = {"red": exp(1) / total, "green": 1 / total, "blue": exp(0.2) / total}
    assert shares(first) == pytest.approx(one, abs=1e-5)
    assert first.text == "red" and first.scores == again.scores
    green = exp(1) / (exp(1) + 2)
    assert shares(clip)["green"] == pytest.approx((one["green"] + green) / 2, abs=1e-5)


def test_the_identity_is_that_of_the_weights_and_the_card(network: tuple[str, Path]) -> None:
    spec, file = network
    before = open_model(spec).card
    assert before.labels == LABELS and before.families == ("none",) and runs_here(spec)
    beside = file.with_suffix(".yaml")
    beside.write_text(beside.read_text() + "range: [0, 2]\n")
    assert open_model(spec).card.identity != before.identity


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("size: 16", "size: 32"), "takes pictures of"),
        (("colour: rgb", "colour: grey"), "takes pictures of"),
        (("[red, green, blue]", "[red, green]"), "gives 3 numbers, and its card has 2 labels"),
        (("[red, green, blue]", "[red, Red, blue]"), "stands there twice"),
        (("[red, green, blue]", "red"), "labels"),
        (("size: 16", "size: 16.5"), "size"),
        (("size: 16", "size: 0"), "size"),
        (("gives: logits", "gives: log"), "gives"),
        (("gives: logits", ""), "gives: Field required"),
        (("gives: logits", "gives: logits\nmean: [0.5]"), "mean has 1 numbers, and rgb 3"),
        (("gives: logits", "gives: logits\nstd: [1, 0, 1]"), "std must be above 0"),
        (("gives: logits", "gives: logits\nmean: [.nan, 0, 0]"), "mean"),
        (("gives: logits", "gives: logits\nrange: [1, -1]"), "range must go"),
        (("gives: logits", "gives: logits\noutput: 3"), "names output 3"),
        (("gives: logits", "gives: logits\nnormalise: true"), "normalise"),
        (("gives: logits", "gives: [logits"), "not valid YAML"),
        (("gives: logits", "gives: logits\ngives: logits"), "gives"),
    ],
)  # fmt: skip
def test_a_card_that_does_not_fit_is_refused(network, change, why) -> None:
    spec, file = network
    beside = file.with_suffix(".yaml")
    beside.write_text(beside.read_text().replace(*change))
    with pytest.raises(HarnessError, match=why):
        open_model(spec)


def test_files_that_are_none_are_refused(network: tuple[str, Path]) -> None:
    spec, file = network
    for content in (b"", b"nothing of the kind", file.read_bytes()[:60]):
        file.write_bytes(content)
        with pytest.raises(
            HarnessError, match=f"{file.name} (cannot be run|is not a network|has|gives|takes)"
        ):
            open_model(spec)
    file.with_suffix(".yaml").unlink()
    with pytest.raises(HarnessError, match="has no card"):
        open_model(spec)
    file.unlink()
    with pytest.raises(HarnessError, match="not found"):
        open_model(spec)


@pytest.mark.parametrize(
    "name", ["specialist", "specialist:", "specialist:pt:x.pt", "specialist:onnx", "specialist:Fer"]
)
def test_forms_that_there_are_not(name: str) -> None:
    with pytest.raises(HarnessError, match="unknown specialist"):
        open_model(name)


def test_one_of_several_outputs_is_named(tmp_path: Path) -> None:
    file = tmp_path / "two.tflite"
    write_tflite(file, outputs=2)
    file.with_suffix(".yaml").write_text(card("nhwc"))
    with pytest.raises(HarnessError, match="has 2 outputs"):
        open_model(f"specialist:tflite:{file}")
    file.with_suffix(".yaml").write_text(card("nhwc") + "output: 1\n")
    (reply,) = replies(f"specialist:tflite:{file}", ask(Pillow.new("RGB", (9, 9), (0, 0, 255)), labels=LABELS))  # fmt: skip
    assert reply.text == "blue"


def test_shares_that_are_none_are_no_answer(tmp_path: Path) -> None:
    """A card that calls logits probabilities is found out by the first reply."""
    file = tmp_path / "colour.onnx"
    grey = Pillow.new("RGB", (16, 16), (200, 200, 200))
    write_onnx(file, softmax=True)
    file.with_suffix(".yaml").write_text(card("nchw", "probabilities"))
    (good,) = replies(f"specialist:onnx:{file}", ask(grey, labels=LABELS))
    assert shares(good)["red"] == pytest.approx(1 / 3, abs=1e-5)
    write_onnx(file)
    (bad,) = replies(f"specialist:onnx:{file}", ask(grey, labels=LABELS))
    assert bad.failure is not None and bad.failure.kind == "bad-reply"


def test_an_input_is_what_the_card_says() -> None:
    picture = Pillow.new("RGB", (50, 20), (255, 0, 51))
    of = SpecialistCard(
        labels=("a", "b"), size=(8, 12), colour="bgr", layout="nchw", gives="logits", range=(-1, 1),
        mean=(0.5, 0, 0), std=(2, 1, 1),
    )  # fmt: skip
    found = network_input(picture, of)
    assert found.shape == (1, 3, 8, 12) and found.dtype == np.float32 and found.flags.c_contiguous
    assert np.allclose(found[0, :, 3, 5], [(-0.6 - 0.5) / 2, -1, 1])
    grey = network_input(picture, of.model_copy(update={"colour": "grey", "layout": "nhwc", "mean": (), "std": ()}))  # fmt: skip
    assert grey.shape == (1, 8, 12, 1)
    assert np.allclose(grey, (0.299 * 255 + 0.114 * 51) / 127.5 - 1, atol=0.01)


def test_videos_and_broken_pictures() -> None:
    engine = SpecialistEngine(
        lambda given: given.mean((0, 2, 3)), SpecialistCard(labels=LABELS, size=16, colour="rgb", layout="nchw", gives="logits")
    )  # fmt: skip
    frames = tuple(Image(str(n), png(Pillow.new("RGB", (9, 9), c))) for n, c in enumerate(("red", "lime")))  # fmt: skip
    video = Message("user", (Video("v", frames, (0, 1), 5.0),))
    ready = engine.prepare(make_request((video,), Sampling(), model="m", candidates=LABELS))
    assert not isinstance(ready, Generation) and len(ready.pictures) == 2
    (reply,) = engine.generate([ready])
    assert shares(reply)["red"] == pytest.approx(shares(reply)["green"], abs=1e-6)
    broken = Message("user", (Image("b", b"no picture"),))
    failed = engine.prepare(make_request((broken,), Sampling(), model="m", candidates=LABELS))
    assert isinstance(failed, Generation) and failed.failure is not None
    assert failed.failure.kind == "media"
    empty = engine.prepare(make_request((Message("user", ()),), Sampling(), model="m", candidates=LABELS))  # fmt: skip
    assert isinstance(empty, Generation) and empty.failure is not None


def test_outputs_meet_labels_by_their_meaning() -> None:
    fer = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert match_outputs(BASIC, fer) == tuple((n,) for n in range(7))
    assert match_outputs(("happiness",), ("happy", "Happiness", "sad")) == ((0, 1),)
    assert without_output((*BASIC, "contempt"), fer) == ("contempt",)
    assert without_output(("yes", "no"), fer) == ("yes", "no")


@pytest.mark.slow
def test_a_run_with_a_classifier(tmp_path: Path, monkeypatch, capsys) -> None:
    """Answered and scored, its probabilities too; what it has no output for is refused before anything is asked."""
    monkeypatch.chdir(tmp_path)
    run = ["run", "faces/emotion", "--set", "source.n=7", "--model", "specialist:fer"]
    assert main([*run, "--condition", "face-crop", "--out", "run"]) == 0
    assert "log loss" in capsys.readouterr().out
    Path("t.csv").write_text("image,answer,question\nx.png,yes,Smile?\n")
    refused = ["run", "table/question", "--set", "source.file=t.csv", "--model", "specialist:fer"]
    assert main(refused) == 2
    assert (
        "specialist:fer has no output for yes, which table/question asks for"
        in capsys.readouterr().err
    )


@pytest.mark.slow
def test_a_classifier_an_encoder_and_a_chat_model_share_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with photographs in a folder and a table of labels: paired tests of each model with the prompt of its family,
    and what a model cannot be asked is left out."""
    monkeypatch.chdir(tmp_path)
    Path("images").mkdir()
    rows = ["image,emotion,answer"]
    for n in range(14):
        face = face_at(n, seed=4)
        Path(f"images/{n}.png").write_bytes(encode_png(draw(face, size=96).pixels))
        rows.append(f"{n}.png,{face.emotion},{'yes' if n % 2 else 'no'}")
    Path("labels.csv").write_text("\n".join(rows) + "\n")
    models = {
        "specialist:fer": "none",
        "clip:tiny": "dual/described",
        "affect-tiny": "emotion/plain",
    }
    given = [
        "--set",
        "source.file=labels.csv",
        "--set",
        "source.image=image",
        "--set",
        "media.root=images",
    ]
    given += [word for name in models for word in ("--model", name)]
    run = ["run", "table/emotion", "--set", "source.label=emotion", "--out", "run"]
    assert main([*run, *given]) == 0
    assert main(["compare", "run", "--json"]) == 0
    pairs = json.loads(capsys.readouterr().out.split("report.html")[-1])["comparisons"]
    assert {pair["axis"] for pair in pairs} == {"model with its prompt"} and len(pairs) == 3
    sides = [pair[side] for pair in pairs for side in "ab"]
    assert {side["model"]: side["prompt"] for side in sides} == models
    assert all(pair["n"] == 14 and pair["metrics"][0]["of"] == "uar" for pair in pairs)
    ask = ["--set", "source.ask=Do the teeth show?", "--set", "source.label=answer"]
    assert main(["plan", "table/question", *ask, *given]) == 0
    shown = capsys.readouterr()
    told = " ".join((shown.out + shown.err).split())
    assert "none is left for clip:tiny" in told and "14 trials" in told
    assert "specialist:fer has no output for" in told and "left out" in told


def test_a_task_without_an_output_is_left_out_in_one_line(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Pillow.new("RGB", (9, 9)).save("x.png")
    Path("t.csv").write_text("image,answer,question,emotion\nx.png,yes,Smile?,fear\n")
    plan = [
        "plan",
        "table/emotion",
        "table/question",
        "--set",
        "source.file=t.csv",
        "--set",
        "source.question=question",
        "--condition",
        "none",
    ]
    assert main([*plan, "--model", "specialist:fer", "--model", "affect-tiny"]) == 0
    told = capsys.readouterr()
    lines = " ".join((told.out + told.err).split())
    assert "specialist:fer has no output for yes, which table/question asks for in answer" in lines
    assert "left out" in lines
    assert (
        main(["plan", "table/question", "--set", "source.file=t.csv", "--model", "specialist:fer"])
        == 2
    )
    assert "choose a task whose labels it has" in capsys.readouterr().err


def test_labels_are_known_before_a_network_is_opened(network: tuple[str, Path]) -> None:
    spec, file = network
    assert outputs_of(spec) == LABELS and outputs_of("specialist:fer")[0] == "angry"
    assert outputs_of("affect-tiny") == outputs_of("specialist:") == ()
    file.with_suffix(".yaml").unlink()
    assert outputs_of(spec) == ()
