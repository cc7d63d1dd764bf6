"""Published numbers of papers and leaderboards, as the files of `results/published/` hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt

from harness.core.errors import HarnessError
from harness.metrics import named
from harness.run.yaml_file import read_yaml, validated

Status = Literal["read", "secondary", "recomputed"]
"""`read`: in the source that is named. `secondary`: quoted by somebody else. `recomputed`: from answers that the source
publishes."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedSource(_Strict):
    """Where numbers were published."""

    title: str
    url: str = ""
    """Address, or `arXiv:2511.00389`."""
    place: str = ""
    """Table or figure with its number; empty where that is not known."""
    status: Status
    note: str = ""


class PublishedSetting(_Strict):
    """What was measured."""

    set: str
    """The data set in words."""
    task: str = ""
    """The task of this project that comes nearest; empty where there is none."""
    form: str = ""
    """The submission form whose local score it stands beside; empty for none."""
    field: str = ""
    """The field of the task; empty: its only one."""
    part: str = "all"
    split: str = ""
    """Split or subset; empty where that is not told."""
    classes: PositiveInt | None = None
    """How many classes; None where that is not told or there are none."""
    n: PositiveInt | None = None
    """Samples; None where that is not told."""
    protocol: Literal["zero-shot", "few-shot", "trained", "fine-tuned", "mixed", "unknown"]
    note: str = ""


class PublishedRow(_Strict):
    """What one system reached."""

    system: str
    values: Mapping[str, FiniteFloat] = Field(min_length=1)
    """Metric -> value, in the unit of the metric: shares from 0 to 1. Names are those of this project where it has the
    metric."""
    protocol: Literal["zero-shot", "few-shot", "trained", "fine-tuned", "unknown"] | None = None
    """Where it differs from that of the others."""
    note: str = ""


class PublishedTable(_Strict):
    """Rows of one table: one setting."""

    setting: PublishedSetting
    rows: tuple[PublishedRow, ...] = Field(min_length=1)


class PublishedFile(_Strict):
    """One file of `results/published/`."""

    source: PublishedSource
    tables: tuple[PublishedTable, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class OfForm:
    """A published number of a challenge."""

    system: str
    metric: str
    value: float
    part: str
    set: str


def of_form(files: Sequence[PublishedFile], form: str) -> Iterator[OfForm]:
    """The published numbers of a submission form, in the order of the files."""
    for file in files:
        for table in file.tables:
            if table.setting.form == form:
                where = ", ".join(w for w in (table.setting.set, table.setting.split) if w)
                for row in table.rows:
                    for metric, value in row.values.items():
                        yield OfForm(row.system, metric, value, table.setting.part, where)


def published_folder() -> Path:
    """The folder of published numbers that come with the package."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "shipped" / "published"
    return installed if installed.is_dir() else package.parent / "results" / "published"


def read_published(folder: Path) -> list[PublishedFile]:
    """All files of a folder. Raises HarnessError naming the line of a fault, and where there is no file."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise HarnessError(
            f"{folder} holds no published numbers", hint="name a folder of .yaml files, see docs"
        )
    return [read_file(path) for path in paths]


def read_file(path: Path) -> PublishedFile:
    """One file. Raises HarnessError naming the line."""
    data, place = read_yaml(path)
    found = validated(PublishedFile, data, place, "published numbers")
    for number, table in enumerate(found.tables):
        for at, row in enumerate(table.rows):
            for metric, value in row.values.items():
                known = named(metric, "")
                low, high = known.range if known else (float("-inf"), float("inf"))
                if not low <= value <= high:
                    raise HarnessError(
                        f"{place(['tables', number, 'rows', at])}: {metric} {value:g} is outside {low:g} to {high:g}",
                        hint="write shares from 0 to 1: .758, not 75.8",
                    )
    return found
