"""What a submission form is: the files of one challenge, how they are answered, checked and scored here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.registry import Registry
from harness.submit.choice import Choice
from harness.submit.findings import Findings
from harness.submit.local_score import LocalScore


@dataclass(frozen=True, slots=True)
class Options:
    """What a command asks of a form beside its files."""

    fill: tuple[str, ...] = ()
    """What to write where there is no usable answer, in words that the form understands."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> labels, in place of those that the form knows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One file that the challenge wants answered."""

    path: Path
    digest: str
    """Hex SHA-256 of the file."""
    answers_to: str
    """The name that the file of answers must have."""
    content: Any
    """What the form has read of it; no one else looks at it."""
    name_confirmed: bool = True
    """Whether the challenge says that the answers must have that name."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The file of answers to one file asked, before it is written."""

    asked: Asked
    data: bytes
    used: Mapping[tuple[Path, Cell], int]
    """Run and cell -> the rows (of spotting: the videos) that it answers."""
    entry: Mapping[str, Any] = field(default_factory=dict)
    """What the receipt says of this file beside its digest."""
    notes: tuple[str, ...] = ()
    """Lines for the terminal: how often each answer, what was filled in."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A submission's files, and what the receipt says of all of them."""

    drafts: tuple[Draft, ...]
    receipt: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class SubmissionForm(Protocol):
    """One challenge. A package adds one under the entry-point group `harness.submissions`."""

    name: str
    """As it is typed: `megc2025-me-vqa`."""
    description: str
    """One line for `harness list submissions`, with what was not verified."""
    files: tuple[str, ...]
    """The published names of the files that are to be answered; empty where any name will do."""
    unconfirmed: str
    """What of the layout the challenge has not confirmed ("the layout of the zip file is"...); empty for none."""

    def read(self, path: Path) -> Asked:
        """Read a file that is to be answered. Raises HarnessError naming the row at fault."""

    def answer(
        self, asked: Sequence[Asked], runs: Sequence[Path], choice: Choice, options: Options
    ) -> Answers:
        """One draft for each file asked. Raises HarnessError naming rows without one usable answer."""

    def check(self, data: bytes, asked: Asked, options: Options, *, name: str) -> Findings:
        """Faults make a file unfit, warnings are about content. Never raises for what a file holds."""

    def score(self, data: bytes, asked: Asked, truth: Path) -> LocalScore:
        """What a file of answers scores against true answers. Raises HarnessError where these cannot be read."""


SUBMISSIONS = Registry(
    "submission form",
    "harness.submissions",
    {
        "abaw-au": "harness.submit.abaw:ACTION_UNITS",
        "abaw-expr": "harness.submit.abaw:EXPRESSIONS",
        "abaw-va": "harness.submit.abaw:VALENCE_AROUSAL",
        "blemore": "harness.submit.blemore:BLEMORE",
        "ferbench": "harness.submit.ferbench:FERBENCH",
        "mer2026-fg": "harness.submit.mer:FINE_GRAINED",
        "megc2025-me-str": "harness.submit.megc.forms:ME_STR_2025",
        "megc2025-me-vqa": "harness.submit.megc.forms:ME_VQA_2025",
        "megc2026-me-lvqa": "harness.submit.megc.forms:ME_LVQA_2026",
        "megc2026-me-vqa": "harness.submit.megc.forms:ME_VQA_2026",
    },
    expects=(SubmissionForm,),
)
"""Name -> a SubmissionForm."""


def form_named(name: str) -> SubmissionForm:
    """The form of a name. Raises HarnessError for an unknown one, listing those there are."""
    found: SubmissionForm = SUBMISSIONS.load(name)
    return found


def no_labels(form: str, options: Options) -> None:
    """Raises HarnessError for `--labels` where a form's labels are fixed."""
    if options.labels:
        raise HarnessError(
            f"--labels has no effect for {form}", hint="its labels are fixed by the challenge"
        )


def no_labels_or_fill(form: str, options: Options) -> None:
    """Raises HarnessError for `--labels` and for `--fill`, where a form has neither."""
    no_labels(form, options)
    if options.fill:
        raise HarnessError(f"--fill has no effect for {form}", hint="leave it out")
