"""MLLMVisualEmotion: questions about emotions in pictures, with options (Hugging Face YushuoSu/MLLMVisualEmotion, CC BY 4.0).

`data/FaceEmotion/processed/images_..._questions.json` holds an array (or an object of numbered entries) of objects with
`idx`, `query`, `answer` (an option letter in parentheses), `label`, and a key whose value is the picture's path below
`processed/`: read in the code of github.com/YushuoSu/MLLMVisualEmotion. The files themselves were not seen, nor whether
every entry has an `idx`. Which label a letter stands for changes from question to question, so that the letter is the
answer. Recorded model outputs in `results/MODEL/FaceEmotion/` are read by `harness score --predictions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.json_text import parse_json
from harness.core.sample import Scalar
from harness.core.source import Source
from harness.media.decode import IMAGE_SUFFIXES
from harness.sources.cells import is_blank, plain
from harness.sources.dataset import (
    DatasetEntry,
    DatasetOptions,
    DatasetSource,
    Found,
    first_existing,
)
from harness.sources.encoding import encoding_of
from harness.sources.options import read_options

QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "choice": "images_multiple_choice",
        "marked-choice": "images_marked_multiple_choice",
        "tendency-choice": "images_emotional_tendency_multiple_choice",
        "judgement": "images_judgement",
        "could-judgement": "images_could_judgement",
        "really-judgement": "images_really_judgement",
        "tendency-judgement": "images_emotional_tendency_judgement",
    }
)
"""Kind of question -> how its files are named."""
LETTERS = tuple("ABCDEFGHIJ")
"""The options that the set's own code reads."""
_LETTER = re.compile(r"\(([A-J])\)")
_FIXED = ("label", "experiment_setup", "idx", "query", "answer", "arousal")


class VisualEmotionOptions(DatasetOptions):
    """Options of MLLMVisualEmotion."""

    part: Literal["FaceEmotion", "Emotion6"] = "FaceEmotion"
    """Faces, or scenes."""
    kind: Literal[
        "choice", "marked-choice", "tendency-choice", "judgement", "could-judgement", "really-judgement",
        "tendency-judgement",
    ] = "choice"  # fmt: skip
    """The kind of question that is read."""


def open_visual_emotion(
    options: Mapping[str, Any], *, fields: Mapping[str, FieldSpec], base: Path
) -> Source:
    """A source over one file of questions. Raises HarnessError where it is not there, or has another layout."""
    asked = read_options(VisualEmotionOptions, options, family="mllm-visual-emotion")
    root = base / asked.root
    name = f"{QUESTIONS[asked.kind]}_questions.json"
    file = first_existing(
        [root / "data" / asked.part / "processed" / name, root / asked.part / "processed" / name, root / name],
        hint="set source.root to your copy of the data set, with data/FaceEmotion/processed/",
    )  # fmt: skip
    return DatasetSource(lambda: _entries(file), asked, fields, offers=("answer",), files=[file])


def _entries(file: Path) -> Iterator[Found]:
    for number, entry in enumerate(entries_of(read_json(file), file.name), start=1):
        where = f"{file.name}, entry {number}"
        letter = letter_of(entry.get("answer"))
        if letter is None or is_blank(entry.get("query")):
            raise HarnessError(f"{where}: no query, or no option letter as answer", hint=_AGAIN)
        picture = picture_of_entry(entry)
        if not picture or ".." in Path(picture).parts:
            raise HarnessError(f"{where}: no key with the path of a picture", hint=_AGAIN)
        notes: dict[str, Scalar] = {
            key: plain(entry[key]) for key in ("label", "experiment_setup") if not is_blank(entry.get(key))
        }  # fmt: skip
        yield DatasetEntry(
            id_of(entry, number), file.parent / picture.lstrip("/"), {"answer": letter}, notes,
            subject=picture, question=plain(entry["query"]),
        )  # fmt: skip


_AGAIN = "download the file again; harness/sources/mllm_visual_emotion.py describes the layout"


def read_json(file: Path) -> Any:
    """What a JSON file holds. Raises HarnessError where it cannot be read, or is none."""
    try:
        return parse_json(file.read_text(encoding=encoding_of(file).codec).removeprefix("\ufeff"))
    except OSError as error:
        raise HarnessError(f"{file} cannot be read: {error.strerror}", hint=_AGAIN) from None
    except ValueError as error:
        raise HarnessError(f"{file.name} is not JSON: {error}", hint=_AGAIN) from None


def entries_of(data: Any, name: str) -> list[Mapping[str, Any]]:
    """The entries of an array, or of an object of entries. Raises HarnessError for anything else."""
    found = list(data.values()) if isinstance(data, dict) else data
    if (
        not isinstance(found, list)
        or not found
        or not all(isinstance(one, Mapping) for one in found)
    ):
        raise HarnessError(f"{name} holds no entries with query and answer", hint=_AGAIN)
    return found


def id_of(entry: Mapping[str, Any], number: int) -> str:
    """The entry's own `idx`, else its place in the file from 1."""
    return f"{number}" if is_blank(entry.get("idx")) else plain(entry["idx"])


def letter_of(text: Any) -> str | None:
    """The last option letter in parentheses, as the set's own code takes it; None without one."""
    found = _LETTER.findall(text) if isinstance(text, str) else []
    return found[-1] if found else None


def picture_of_entry(entry: Mapping[str, Any]) -> str:
    """The value of the first key that names a picture file; empty where there is none."""
    for key, value in entry.items():
        if key not in _FIXED and isinstance(value, str) and Path(value).suffix.lower() in IMAGE_SUFFIXES:  # fmt: skip
            return value
    return ""
