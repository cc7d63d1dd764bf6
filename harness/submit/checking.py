"""Answer files made elsewhere, held against the files that they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.core.errors import HarnessError
from harness.submit.findings import Findings
from harness.submit.form import Asked, Options, SubmissionForm


def match_files(asked: Sequence[Asked], files: Sequence[Path]) -> list[tuple[Path, Asked]]:
    """Each file of answers with the file that it answers, by name; one of another name answers the next that is left."""
    by_name = {one.answers_to: one for one in asked}
    left = [one for name, one in by_name.items() if name not in {file.name for file in files}]
    found = []
    for file in dict.fromkeys(files):
        one = by_name.get(file.name)
        if one is None:
            one = left.pop(0) if left else asked[0]  # the wrong name is reported as a fault
        found.append((file, one))
    return found


def check_file(form: SubmissionForm, path: Path, asked: Asked, options: Options) -> Findings:
    """Check a file of answers. Raises HarnessError where it cannot be read at all."""
    data = read_answers(path)
    findings = form.check(data, asked, options, name=path.name)
    if path.name == asked.answers_to:
        return findings
    if not asked.name_confirmed:
        wrong = f"the file is named {path.name}; ours is named {asked.answers_to}, which is not confirmed"
        return replace(findings, warnings=(wrong, *findings.warnings))
    wrong = f"the file is named {path.name}; the name must be {asked.answers_to}"
    return replace(findings, faults=(wrong, *findings.faults))


def read_answers(path: Path) -> bytes:
    """The bytes of a file of answers. Raises HarnessError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise HarnessError(
            f"{path} cannot be read: {error.strerror}",
            hint="name the answer file with --check FILE",
        ) from None
