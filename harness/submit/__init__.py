"""Write a challenge's answer files from finished runs, and check existing files."""

from harness.submit.assemble import Assembled, Fill, assemble
from harness.submit.check import Findings, check_file, check_rows
from harness.submit.forms import FORMS, SubmissionForm, form_named
from harness.submit.package import Package, pack, pack_spots
from harness.submit.questions import Question, Questions, read_questions
from harness.submit.replies import Choice, Given, read_given
from harness.submit.spots import Videos, check_spots, read_spotted, read_videos, spots_for

__all__ = [
    "FORMS",
    "Assembled",
    "Choice",
    "Fill",
    "Findings",
    "Given",
    "Package",
    "Question",
    "Questions",
    "SubmissionForm",
    "Videos",
    "assemble",
    "check_file",
    "check_rows",
    "check_spots",
    "form_named",
    "pack",
    "pack_spots",
    "read_given",
    "read_questions",
    "read_spotted",
    "read_videos",
    "spots_for",
]
