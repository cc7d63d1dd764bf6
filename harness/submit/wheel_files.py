"""The emotion wheels of the MER challenges, read from the files that the challenge publishes.

`wheelN.xlsx` with the columns level1, level2, level3 (blank cells repeat the one above), `synonym.xlsx` with the columns
word_runK and synonym_runK, `format.csv` with name and format. A word becomes the synonym whose name comes first in the
alphabet among those that are on the wheel, as in the challenge's own code (my_affectgpt/evaluation/wheel.py).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from harness.answers.wheels import Wheel, Wheels
from harness.core.errors import HarnessError
from harness.sources.workbook import lines


def read_wheels(folder: Path) -> Wheels:
    """The wheels of a folder. Raises HarnessError naming a file that is missing or a column that it lacks."""
    paths = sorted(folder.glob("wheel*.xlsx"))
    if not paths:
        raise HarnessError(f"{folder} holds no wheel*.xlsx", hint="put the challenge's emotion_wheel files there")  # fmt: skip
    wheels = tuple(_wheel(path) for path in paths)
    synonyms: dict[str, list[str]] = {}
    for word, near in _synonyms(_there(folder / "synonym.xlsx")):
        for one in (word, *near):
            synonyms.setdefault(one, []).append(word)
    bases: dict[str, tuple[str, ...]] = {}
    for raw, forms in _formats(_there(folder / "format.csv")):
        for form in (raw, *forms):
            bases[form] = (*bases.get(form, ()), *synonyms.get(raw, ()))
    return Wheels(wheels, {form: tuple(sorted(set(found))) for form, found in bases.items()})


def _there(path: Path) -> Path:
    if not path.is_file():
        raise HarnessError(f"{path} is missing", hint="put the challenge's emotion_wheel files there")  # fmt: skip
    return path


def _wheel(path: Path) -> Wheel:
    groups: dict[str, str] = {}
    levels = ["", "", ""]
    for row in lines(path, ("level1", "level2", "level3")):
        levels = [
            row.text(f"level{at + 1}").strip().lower() or above for at, above in enumerate(levels)
        ]
        for word in levels:
            groups.setdefault(word, levels[0])
    return Wheel(path.stem, path.name, groups)


def _synonyms(path: Path) -> Iterator[tuple[str, list[str]]]:
    for row in lines(path, ("word_run1", "synonym_run1")):
        for name in row.cells:
            if name.startswith("wordrun"):
                word = row.text(name).strip().lower()
                if word:
                    yield word, _split(row.text(name.replace("word", "synonym", 1)))


def _formats(path: Path) -> Iterator[tuple[str, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield str(row.get("name") or "").strip().lower(), _split(str(row.get("format") or ""))


def _split(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",") if part.strip()]
