"""Write a challenge's answer files from finished runs, check existing files, and score them against known answers."""

from harness.submit.checking import check_file, match_files
from harness.submit.choice import Choice, Given
from harness.submit.findings import Findings, name_rows
from harness.submit.form import (
    SUBMISSIONS,
    Answers,
    Asked,
    Draft,
    Options,
    SubmissionForm,
    form_named,
)
from harness.submit.local_score import Figure, LocalScore
from harness.submit.package import Package, pack

__all__ = [
    "SUBMISSIONS",
    "Answers",
    "Asked",
    "Choice",
    "Draft",
    "Figure",
    "Findings",
    "Given",
    "LocalScore",
    "Options",
    "Package",
    "SubmissionForm",
    "check_file",
    "form_named",
    "match_files",
    "name_rows",
    "pack",
]
