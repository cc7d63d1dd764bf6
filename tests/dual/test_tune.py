"""Learned prompts: what is frozen stays so, folds share no subject, and a file is a model."""

from __future__ import annotations

import asyncio
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.label_texts import label_turns
from harness.core.medium import Medium
from harness.core.message import Image
from harness.core.picture import FilePicture
from harness.core.request import Sampling, make_request
from harness.core.sample import Sample
from harness.core.task import Task
from harness.faces import draw, encode_png, face_at
from harness.models import open_model
from harness.models.dual.encoder import LearnedPrompts
from harness.models.dual.model import find_dual
from harness.models.dual.tuned import read_tuned
from harness.tune import Learning, Weights, folds_of, learn
from harness.tune.samples import refuse_shared

from .tiny_encoders import save_clip, save_siglip

LABELS = ("anger", "fear")
TASK = Task(name="t", source={"family": "table"}, fields={"emotion": FieldSpec(kind="label", labels=LABELS)}, prompts=("dual/name",))  # fmt: skip


def sample(number: int, label: str, subject: str | None, picture: str = "") -> Sample:
    medium = Medium("image", (FilePicture(Path(picture or f"{number}.png")),))
    return Sample(f"s{number}", medium, {"emotion": label}, cluster=subject)


def many(subjects: int, each: int = 4) -> list[Sample]:
    return [sample(n, LABELS[n % 2], f"p{n // each}") for n in range(subjects * each)]


def folds(samples: list[Sample], **options: Any) -> Any:
    usual: dict[str, Any] = {"shots": 4, "validation": 2, "seed": 0}
    return folds_of(samples, TASK, field="emotion", labels=LABELS, **{**usual, **options})


@pytest.mark.parametrize("seed", range(5))
def test_folds_share_no_subject_and_have_what_was_asked(seed: int) -> None:
    found = folds(many(8), seed=seed)
    subjects = [{one.cluster for one in fold.samples} for fold in (found.train, found.validation)]
    assert not subjects[0] & subjects[1]
    assert sorted(found.train.labels) == [0] * 4 + [1] * 4
    assert sorted(found.validation.labels) == [0] * 2 + [1] * 2
    assert found.subjects == tuple(map(len, subjects)), (
        "subjects that were passed over are none of them"
    )
    everything = folds(many(10), shots=None, validation=None, seed=seed)
    assert everything.subjects == (8, 2)
    assert len(everything.train) + len(everything.validation) == 40


def test_samples_of_one_picture_are_one_subject() -> None:
    pairs = [sample(n, LABELS[n % 2], None, picture=f"{n // 2}.png") for n in range(20)]
    found = folds(pairs, shots=3, validation=2)
    names = [{f.name for s in fold.samples for f in s.medium.frames} for fold in (found.train, found.validation)]  # fmt: skip
    assert not names[0] & names[1]


def test_too_few_and_shared_samples_are_refused() -> None:
    with pytest.raises(HarnessError, match=r"training: 2 samples of anger from 1 subject, too few"):
        folds(many(2))
    found = folds(many(8))
    taken = found.train.samples[0]
    with pytest.raises(HarnessError, match="show subjects or pictures that would be learnt from"):
        refuse_shared(TASK, found, [replace(taken, id="other")])
    refuse_shared(TASK, found, [sample(99, "anger", "somebody else")])


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"contexts": 0}, "nothing is learnt"),
        ({"weights": Weights(prototype=1)}, "no effect without visual"),
        ({"contexts": 0, "visual": 2, "weights": Weights(prompt=1)}, "no effect without contexts"),
    ],
)
def test_what_would_have_no_effect_is_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(HarnessError, match=fault):
        Learning(**options)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {"clip": save_clip(folder / "clip"), "siglip": save_siglip(folder / "siglip")}


@pytest.fixture(scope="module")
def faces() -> list[bytes]:
    return [encode_png(draw(face_at(n, seed=3), size=64).pixels) for n in range(8)]


def opened(faces: list[bytes]) -> list[Any]:
    import PIL.Image

    return [PIL.Image.open(io.BytesIO(data)).convert("RGB") for data in faces]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_every_loss_teaches_and_the_model_stays(
    kind: str, base: dict[str, Path], faces: list[bytes]
) -> None:
    import torch

    encoder = find_dual(str(base[kind])).load()
    before = {name: one.clone() for name, one in encoder.model.state_dict().items()}
    pixels = encoder.pixels(opened(faces))
    labels = [n % 2 for n in range(len(faces))]
    texts = (("anger", "a face with brows lowered"), ("fear", "a face with eyes wide"))
    learning = Learning(
        contexts=3, visual=2, steps=10, rate=0.1, weights=Weights(0.3, 0.1, 0.1, 0.5), batch=8
    )
    fold = (pixels, labels)

    found = learn(encoder, texts, fold, fold, learning)
    short = replace(learning, steps=2)
    one, again = (learn(encoder, texts, fold, fold, short) for _ in range(2))

    first, best = found.curve[0][1], min(entropy for _, entropy, _ in found.curve)
    assert best < first - 0.01
    assert found.curve[[step for step, *_ in found.curve].index(found.step)][1] == best
    assert found.prompts.context.shape == (3, 32) and found.prompts.visual.shape == (2, 2, 32)
    assert one.curve == again.curve
    for name, one in encoder.model.state_dict().items():
        assert torch.equal(one, before[name])
    assert all(one.grad is None for one in encoder.model.parameters())
    assert torch.equal(encoder.of_pictures(pixels), encoder.of_pictures(pixels, LearnedPrompts()))


@pytest.mark.slow
def test_contexts_stand_where_words_do(base: dict[str, Path]) -> None:
    """Vectors of words, given as contexts, are those words."""
    import torch

    for place in base.values():
        encoder = find_dual(str(place)).load()
        words = encoder.model.text_model.embeddings.token_embedding
        ids = encoder._tokenizer("a photo of", add_special_tokens=False)["input_ids"]
        learned = LearnedPrompts(context=words.weight[ids[:3]])
        with torch.no_grad():
            given = encoder.of_texts(["a face", "fear"], learned)
            written = encoder.of_texts(["a photo of a face", "a photo of fear"])
        assert torch.allclose(given, written, atol=1e-6)


@pytest.mark.slow
def test_a_file_is_a_model(
    base: dict[str, Path], faces: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "learnt.safetensors"
    command = ["tune", "clip", "faces/emotion", "--model", f"clip:{base['clip']}", "--prompt", "dual/name"]  # fmt: skip
    command += ["--shots", "2", "--steps", "5", "--contexts", "2", "--visual", "1", "--out", str(file)]  # fmt: skip
    command += ["--set", "source.n=28", "--classes", "anger,fear,happiness"]
    assert main([*command, "--split", "train"]) == 0
    told = capsys.readouterr().out
    assert f"--model clip:{base['clip']}+tuned:{file} --prompt dual/name" in told
    record = read_tuned(str(file)).record
    assert record["labels"] == ["anger", "fear", "happiness"] and record["samples"] == [6, 3]
    assert record["source"]["split"] == "train" and "root" not in record["source"]

    request = make_request(
        label_turns([Image("face", faces[0])], {"anger": ("anger",), "neutral": ("neutral",)}), Sampling(), model="m",
        candidates=("anger", "neutral"),
    )  # fmt: skip

    async def ask(name: str) -> list[float]:
        model = open_model(name)
        try:
            found = await model.reply(request)
        finally:
            await model.close()
        assert found.scores is not None
        return [math.exp(one) for one in found.scores.logprobs]

    plain, tuned = (asyncio.run(ask(f"clip:{base['clip']}{end}")) for end in ("", f"+tuned:{file}"))
    encoder = find_dual(str(base["clip"])).load()
    learned = read_tuned(str(file)).vectors(encoder)
    pictures = encoder.of_pictures(encoder.pixels(opened(faces[:1])), learned)
    texts = encoder.ensemble((("anger",), ("neutral",)), learned)
    expected = encoder.log_shares(encoder.logits(pictures, texts))[0].exp().tolist()
    assert tuned == pytest.approx(expected, abs=2e-6)
    assert tuned != pytest.approx(plain, abs=1e-4)

    other = save_clip(tmp_path / "other", seed=1)
    with pytest.raises(HarnessError, match="other weights than"):
        open_model(f"clip:{other}+tuned:{file}")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    with pytest.raises(HarnessError, match="cannot be read as learned prompts"):
        open_model(f"clip:{base['clip']}+tuned:{broken}")
    assert json.dumps(dict(record))


@pytest.mark.slow
def test_the_scored_split_is_not_learnt_from(
    base: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "learnt.safetensors"
    command = ["tune", "clip", "faces/emotion", "--model", f"clip:{base['clip']}", "--out", str(file)]  # fmt: skip
    assert main([*command, "--split", "test"]) == 2
    assert "scored on the split test itself" in capsys.readouterr().err
    other = ["tune", "clip", "faces/emotion", "--model", "affect-tiny", "--split", "train", "--out", str(file)]  # fmt: skip
    assert main(other) == 2
    assert "cannot be learnt on affect-tiny" in capsys.readouterr().err
    assert not file.exists()


def test_a_source_without_splits_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("few.csv").write_text("image,emotion\na.png,anger\n")
    table = ["table/emotion", "--set", "source.file=few.csv"]
    assert main(["tune", "clip", *table, "--split", "train", "--out", "x.safetensors"]) == 2
    told = capsys.readouterr().err
    assert "--split train does not suit table/emotion" in told and "leave out --split" in told
