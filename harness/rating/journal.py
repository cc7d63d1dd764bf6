"""The journal of a rating study: who was asked what, and every answer, one JSON line each, never rewritten.

The first line says what is asked. An answer given again stands for the earlier one. A process that is killed loses
nothing that the page has shown as saved.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.field import FieldSpec
from harness.core.sample import Scalar
from harness.rating.form import FormField
from harness.rating.items import ItemKey
from harness.run.folder import write_error
from harness.run.log import AppendLog, read_log

SCHEMA = 1
SUFFIX = ".journal.jsonl"


def journal_path(out: Path) -> Path:
    """Where the journal of a table of ratings lies: beside it."""
    return out.with_name(out.stem + SUFFIX)


@dataclass(frozen=True, slots=True)
class Study:
    """What is asked: the first line of a journal."""

    task: str
    data: str
    """Digest of the source."""
    fields: tuple[FormField, ...]
    conditions: tuple[str, ...]
    seed: int
    items: int
    """Samples times conditions."""

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA, "task": self.task, "data": self.data, "seed": self.seed,
            "items": self.items, "conditions": list(self.conditions),
            "fields": {f.name: f.spec.model_dump(mode="json") for f in self.fields},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rating:
    """One answer of one person about one field of one item."""

    rater: str
    item: ItemKey
    field: str
    value: str | None
    """As text; None where the rater could not tell."""
    seconds: float
    """How long the item was in sight before it was answered; shared by the fields answered together."""
    at: float
    """Seconds since 1970."""
    adjudicates: bool = False
    """Whether it settles a dispute between raters."""
    cluster: str | None = None
    """The unit of resampling that the sample belongs to, where its source names one."""

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "rater": self.rater, "sample": self.item.sample, "condition": self.item.condition,
            "field": self.field, "value": self.value, "seconds": round(self.seconds, 3),
            "at": round(self.at, 3),
        }  # fmt: skip
        if self.adjudicates:
            found["adjudicates"] = True
        if self.cluster is not None:
            found["cluster"] = self.cluster
        return found


@dataclass(slots=True)
class Ratings:
    """Every answer that stands, and what is known of the raters."""

    study: Study
    given: dict[tuple[str, ItemKey, str], Rating] = field(default_factory=dict)
    """(rater, item, field) -> the last answer."""
    settled: dict[tuple[ItemKey, str], Rating] = field(default_factory=dict)
    """(item, field) -> the last adjudication."""
    about: dict[str, dict[str, Scalar]] = field(default_factory=dict)
    """Rater -> further columns, in the order the raters first came."""

    def add(self, rating: Rating) -> None:
        """Take in an answer; it stands for an earlier one."""
        if rating.adjudicates:
            self.settled[rating.item, rating.field] = rating
        else:
            self.given[rating.rater, rating.item, rating.field] = rating
            self.about.setdefault(rating.rater, {})

    def of(self, rater: str, *, adjudicates: bool = False) -> dict[tuple[ItemKey, str], Rating]:
        """(item, field) -> the answer of one person; of adjudications all, whoever gave them."""
        if adjudicates:
            return dict(self.settled)
        return {(item, name): r for (who, item, name), r in self.given.items() if who == rater}


class RatingJournal:
    """A journal that is written. One process at a time."""

    def __init__(self, path: Path, study: Study) -> None:
        """Open or begin it. Raises HarnessError where it asks something else, is broken, or cannot be written."""
        known = read_journal(path) if path.exists() and path.stat().st_size else None
        if known is not None:
            _refuse_other(path, known.study, study)
        self.ratings = known or Ratings(study)
        self.data_changed = known is not None and known.study.data != study.data
        """Whether the annotations are others than when the study began."""
        self._log = AppendLog(path)
        self._about: dict[str, Mapping[str, Scalar]] = {}

    def add(self, rating: Rating) -> None:
        """Write an answer, before the first one what is asked. Raises HarnessError when it cannot."""
        if not self._log.size:
            self._log.append(self.ratings.study.to_json())
        about = self._about.pop(rating.rater, None)
        if about is not None and self.ratings.about.get(rating.rater) != about:
            self._log.append({"rater": rating.rater, "about": dict(about)})
            self.ratings.about[rating.rater] = dict(about)
        self._log.append(rating.to_json())
        self.ratings.add(rating)

    def know(self, rater: str, about: Mapping[str, Scalar]) -> None:
        """What is known of a rater, to be written with their next answer where it is new."""
        self._about[rater] = dict(about)

    def close(self) -> None:
        self._log.close()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold a journal for writing. Raises HarnessError when another process holds it, or it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise write_error(path, error) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HarnessError(
                f"another process is collecting answers in {path}",
                hint="name all raters in one command (--raters ANNA,BEN), or write to another --out",
            ) from None
        try:
            yield
        finally:
            if not path.stat().st_size:
                path.unlink()


def read_journal(path: Path) -> Ratings:
    """What a journal holds. Raises HarnessError where there is none, or one that is broken or of another kind."""
    if not path.is_file() or not path.stat().st_size:
        raise HarnessError(
            f"there are no ratings yet: {path} is {'empty' if path.is_file() else 'not there'}",
            hint="collect some: harness rate TASK --field NAME --raters NAME --out FILE; --out names the same file",
        )
    lines = (record for _, record in read_log(path))
    try:
        head = next(lines, None)
        if not isinstance(head, dict) or head.get("schema") != SCHEMA:
            raise ValueError("its first line does not describe the rating")
        ratings = Ratings(_study(head))
        for record in lines:
            if "about" in record:
                ratings.about[str(record["rater"])] = dict(record["about"])
            else:
                ratings.add(_rating(record))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HarnessError(
            f"{path} is not a journal of ratings, or was written by a newer version: {error}",
            hint="use the --out of the earlier `harness rate` command",
        ) from None
    return ratings


def _study(head: Mapping[str, Any]) -> Study:
    fields = tuple(FormField(name, FieldSpec(**spec)) for name, spec in head["fields"].items())
    return Study(
        str(head["task"]), str(head["data"]), fields, tuple(map(str, head["conditions"])),
        int(head["seed"]), int(head["items"]),
    )  # fmt: skip


def _rating(record: Mapping[str, Any]) -> Rating:
    value = record["value"]
    return Rating(
        rater=str(record["rater"]),
        item=ItemKey(str(record["sample"]), str(record["condition"])),
        field=str(record["field"]),
        value=None if value is None else str(value),
        seconds=float(record["seconds"]),
        at=float(record["at"]),
        adjudicates=bool(record.get("adjudicates")),
        cluster=record.get("cluster"),
    )


def _refuse_other(path: Path, known: Study, asked: Study) -> None:
    """Raise HarnessError where answers to other questions would be mixed with those that are there."""
    before, now = known.to_json(), asked.to_json()
    for name in ("task", "fields", "conditions", "seed"):
        if before[name] != now[name]:
            told = ", ".join(map(str, before[name])) if name != "task" else before[name]
            told = str(before[name]) if name == "seed" else told
            raise HarnessError(
                f"{path.name} was begun with other questions than this command: its {name}: {told}",
                hint="use the command that it was begun with, or write to another --out",
            )
