"""Miniatures of freely available sets in the layouts in which they are distributed, with drawn faces. No row is theirs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harness.core.sample import Sample
from harness.run.task_files import load_task
from harness.run.workspace import open_workspace
from harness.sources import open_source
from harness.sources.emonet_face import EMOTIONS

FAMILY = "Some Family"
PROMPT = "As a test, which one is it: {labels}? Answer between <answer></answer> tags."
FER_LABELS = {
    "rafdb": ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    "ferplus": ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
}


@cache
def drawn(task: str, n: int) -> tuple[Sample, ...]:
    """The first samples of a drawn task."""
    config = load_task(task, open_workspace(Path()), changes=[f"source.n={n}"])
    return tuple(open_source(config.source, fields=config.fields, base=Path()))


def face(at: int) -> bytes:
    """A drawn face as PNG."""
    faces = drawn("faces/emotion", 14)
    return faces[at % len(faces)].medium.frames[0].read()


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@cache
def frames_of(at: int) -> tuple[bytes, ...]:
    """A few frames of a drawn clip as PNG."""
    clips = drawn("faces/me-emotion-3", 2)
    return tuple(frame.read() for frame in clips[at % 2].medium.frames[::20][:3])


def clip(path: Path, at: int) -> None:
    """A short drawn clip as a video file."""
    import cv2
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in frames_of(at)
    ]
    size = (frames[0].shape[1], frames[0].shape[0])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"mp4v"), 25.0, size)
    for frame in frames:
        writer.write(frame)
    writer.release()


def emonet_hq(root: Path, rated: Sequence[Mapping[str, Mapping[str, float]]]) -> Path:
    """`data/train-00000-of-00001.parquet` with `path` and `label`; `rated`: annotator -> emotion -> intensity."""
    import datasets

    def said(experts: Mapping[str, Mapping[str, float]]) -> str:
        return str([
            {who: {f"{FAMILY}|{e.title()}": value for e, value in told.items()} | {"Extra Dimensions|Age": 3}}
            for who, told in experts.items()
        ])  # fmt: skip

    rows = {
        "path": [{"bytes": face(at), "path": None} for at in range(len(rated))],
        "label": [said(experts) for experts in rated],
    }
    features = datasets.Features({"path": datasets.Image(), "label": datasets.Value("string")})
    (root / "data").mkdir(parents=True)
    datasets.Dataset.from_dict(rows, features=features).to_parquet(
        root / "data" / "train-00000-of-00001.parquet"
    )
    return root


def emonet_ratings(n: int) -> list[dict[str, dict[str, float]]]:
    """What three experts said of n faces: two alike, one with other intensities; each sees two emotions."""
    return [
        {
            f"human-{who}": {
                EMOTIONS[(at * 7) % 40]: float(1 + (at + (who == 3)) % 7),
                EMOTIONS[(at * 7 + (2 if who == 3 else 1)) % 40]: 2.0,
            }
            for who in (1, 2, 3)
        }
        for at in range(n)
    ]


def emonet_binary(root: Path) -> Path:
    rows = [
        ("00000", "human-1", "True", "Anger"), ("00000", "human-3", "False", "Contentment"),
        ("00001", "human-1", "True", "Hopelessness"), ("00001", "human-2", "False", "Hopelessness"),
        ("00002", "human-1", "False", "Jealousy & Envy"), ("00002", "human-2", "False", "Jealousy & Envy"),
        ("00002", "human-4", "True", "Jealousy & Envy"),
    ]  # fmt: skip
    table(root / "data" / "binary.csv", ("path", "annotator", "value", "emotion"), rows)
    for at, name in enumerate(("00000", "00001", "00002")):
        put(root / "images" / f"{name}.png", face(at))
    return root


def table(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


BLENDS = (
    ("A102_ang_int1_ver1", "ang", "", "", "", 0), ("A102_mix_ang_hap_30_70_ver1", "ang", "hap", 30, 70, 0),
    ("A411_mix_disg_sad_50_50_ver1", "disg", "sad", 50, 50, 1), ("A411_neu_sit2_ver1", "neu", "", "", "", 1),
    ("A55_fea_int3_ver2", "fea", "", "", "", 2),
)  # fmt: skip


def blemore(root: Path, rows: Sequence[Sequence[Any]] = BLENDS, *, clips: bool = True) -> Path:
    head = ("filename", "video_id", "mix", "emotion_1", "emotion_2", "emotion_1_salience", "emotion_2_salience", "fold")  # fmt: skip
    body = [
        (name, name.split("_")[0], int(bool(two)), one, two, s1, s2, fold)
        for name, one, two, s1, s2, fold in rows
    ]
    table(root / "train_metadata.csv", head, body)
    for at, (name, *_) in enumerate(rows if clips else ()):
        clip(root / "train" / f"{name}.mov", at)
    for at in (1, 2) if clips else ():
        clip(root / "test" / f"test_000{at}.mov", at)
    return root


def stylistic_bias(root: Path, faces: int = 4, *, edited: bool = True) -> Path:
    """One folder a face: the unedited picture, grey hair, a beanie, and formal clothes on the whole body."""
    edits = (("face", "hair_color", "Gray"), ("face", "accessories", "Beanie"), ("body", "fashion_style", "Casual"))  # fmt: skip
    for at in range(faces):
        name = f"face_{at + 1}_20260101_120000_{at:08x}"
        traits = {"age": "elderly" if at % 2 else "young adult", "gender": "female", "ethnicity": "Asian", "body_type": "normal"}  # fmt: skip
        put(root / name / f"{name}.png", face(at))
        put(root / name / f"{name}_metadata.json", json.dumps({"characteristics": traits}))
        for number, (kind, attribute, value) in enumerate(edits if edited else (), start=1):
            stem = f"{name}_{kind}_{number}_20260101_130000_{number:08x}"
            told = {"base": f"{name}.png", "variation": {attribute: value}, "prompt": "as asked"}
            put(root / name / f"{stem}.png", face(at + number))
            put(root / name / f"{stem}_metadata.json", json.dumps({"characteristics": told}))
    return root


def visual_emotion(root: Path, outputs: Sequence[str]) -> Path:
    """Questions and the recorded outputs of one model, one for each of `outputs`."""
    entries, samples = [], []
    for at, said in enumerate(outputs):
        entry = {
            "idx": f"q{at}", "image": f"imgs/{at}.png", "label": ("happy", "sad")[at % 2], "experiment_setup": "images",
            "query": "Which emotion? (A) sad (B) happy (C) afraid", "answer": ("(B)", "(A)")[at % 2],
        }  # fmt: skip
        put(root / "data" / "FaceEmotion" / "processed" / "imgs" / f"{at}.png", face(at))
        entries.append(entry)
        letter = next((part for part in ("(A)", "(B)", "(C)") if part in said), "Extraction failed")
        samples.append(
            {**entry, "AI_answer": letter, "accuracy": int(letter == entry["answer"]), "model_output": said}
        )  # fmt: skip
    put(
        root / "data" / "FaceEmotion" / "processed" / "images_multiple_choice_questions.json",
        json.dumps(entries),
    )
    told = {
        "samples": samples,
        "statistics": {"total_samples": len(samples)},
        "Exception": [one for one in samples if one["AI_answer"] == "Extraction failed"],
    }
    put(
        root / "results" / "small" / "FaceEmotion" / "images_multiple_choice_results.json",
        json.dumps(told),
    )
    return root


def ferbench(root: Path, truths: Sequence[str], part: str = "rafdb") -> Path:
    """A question file in the layout of the repository, with a prompt of our own; returns the root."""
    labels = FER_LABELS[part]
    rows = [
        {
            "image_path": f"/Set/test_{at + 1:04}_aligned.png",
            "true_label": truth,
            "prompt": PROMPT.format(labels=", ".join(labels)),
            "candidate_labels": list(labels),
        }
        for at, truth in enumerate(truths)
    ]
    put(root / f"eval_{part}" / "data" / f"{part}_qa.json", json.dumps(rows, indent=1))
    for at, row in enumerate(rows):
        put(root / str(row["image_path"]).lstrip("/"), face(at))
    return root
