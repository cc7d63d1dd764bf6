"""Files of a submission: answers, a zip of them, and a receipt with their provenance."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.answers.reader import PARSER_VERSION
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.text import digest_file
from harness.exports.pseudonyms import hashed_digest
from harness.run.cell_entry import cell_of, identity_of
from harness.run.folder import open_run, write_atomically
from harness.run.scoring import scored_manifest
from harness.submit.findings import Findings
from harness.submit.form import Answers, Draft, Options, SubmissionForm
from harness.version import __version__

RECEIPT = "receipt.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A submission before it is written."""

    form: SubmissionForm
    files: Mapping[str, bytes]
    """Name -> the file of answers."""
    findings: tuple[Findings, ...]
    """The check of each file, run on the bytes themselves."""
    receipt: Mapping[str, Any]

    @property
    def zip_name(self) -> str:
        return f"{self.form.name}.zip"

    def write(self, out: Path) -> tuple[Path, ...]:
        """Write answers, zip and receipt into `out`, in place of those of an earlier submission there; returns their paths.
        Raises HarnessError when it cannot, and for a file of one of their names that no receipt in `out` tells of."""
        _refuse_others(out, (*self.files, self.zip_name))
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarnessError(
                f"cannot make the folder {out}: {error.strerror}",
                hint="choose another folder with --out DIR",
            ) from None
        receipt = json.dumps(self.receipt, ensure_ascii=False, indent=1) + "\n"
        body = {
            **self.files,
            self.zip_name: zipped(self.files),
            RECEIPT: receipt.encode("utf-8", "surrogatepass"),
        }
        for name, data in body.items():
            write_atomically(out / name, data)
        return tuple(out / name for name in body)


def pack(form: SubmissionForm, answers: Answers, options: Options) -> Package:
    """The submission of these drafts. Raises HarnessError where the form's own check finds a fault."""
    files = {draft.asked.answers_to: draft.data for draft in answers.drafts}
    findings = tuple(
        form.check(draft.data, draft.asked, options, name=draft.asked.answers_to)
        for draft in answers.drafts
    )
    for found in findings:
        if found.faults:
            raise HarnessError(
                f"{found.file}: {'; '.join(found.faults)}", hint="correct the rows named"
            )
    return Package(form, files, findings, _receipt(form, answers, files, findings))


def _refuse_others(out: Path, names: Sequence[str]) -> None:
    """Raises HarnessError for a file that would be written over and is not as a receipt in the folder tells of it."""
    receipt = out / RECEIPT
    held: dict[str, str] = {}
    try:
        if receipt.exists():
            told = json.loads(receipt.read_bytes())
            held = {one["name"]: one["sha256"] for one in (*told["files"], told["zip"])}
    except (OSError, ValueError, LookupError, TypeError):
        raise HarnessError(
            f"{receipt} is not the receipt of a submission, and would be written over",
            hint="choose another folder with --out DIR",
        ) from None
    for name in names:
        if (out / name).exists() and _digest(out / name) != held.get(name):
            raise HarnessError(
                f"{out / name} is not as an earlier submission wrote it, and would be written over",
                hint="choose another folder with --out DIR, or move it away",
            )


def _digest(path: Path) -> str:
    """Of a file; empty for a folder and for what cannot be read."""
    try:
        return digest_file(path)
    except OSError:
        return ""


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of the files side by side; the same files give the same bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(
                name
            )  # dated 1980, so that nothing but the files decides the bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return held.getvalue()


def _receipt(
    form: SubmissionForm,
    answers: Answers,
    files: Mapping[str, bytes],
    findings: Sequence[Findings],
) -> dict[str, Any]:
    told = [
        _file_entry(found, draft) | dict(draft.entry)
        for draft, found in zip(answers.drafts, findings, strict=True)
    ]
    cells: Counter[tuple[Path, Cell]] = Counter()
    for draft in answers.drafts:
        cells.update(draft.used)
    return {**_head(form, files), "files": told, **answers.receipt, **_origin(cells)}


def _head(form: SubmissionForm, files: Mapping[str, bytes]) -> dict[str, Any]:
    note = f"{form.unconfirmed} not confirmed by the challenge" if form.unconfirmed else ""
    return {
        "schema": 1,
        "challenge": form.name,
        "harness": __version__,
        "parser": PARSER_VERSION,
        "note": note,
        "zip": {"name": f"{form.name}.zip", "sha256": _sha256(zipped(files))},
    }


def _file_entry(found: Findings, draft: Draft) -> dict[str, Any]:
    return {
        "name": found.file,
        "sha256": _sha256(draft.data),
        "rows": found.rows,
        "questions": draft.asked.path.name,
        "questions_sha256": draft.asked.digest,
        "warnings": list(found.warnings),
    }


def _origin(cells: Mapping[tuple[Path, Cell], int]) -> dict[str, Any]:
    """Where the answers come from: runs and cells, with how many rows (of spotting: videos) each gave."""
    manifests = {run: scored_manifest(open_run(run)) for run, _ in cells}
    entries = {
        (run, cell_of(entry)): entry
        for run, manifest in manifests.items()
        for entry in manifest["cells"]
    }
    return {
        "runs": [_run_entry(run, manifest) for run, manifest in manifests.items()],
        "cells": [
            {
                "run": run.name,
                **cell.as_row(),
                "channel": cell.taken,  # with thinking, tools and votes
                "prompt_digest": manifests[run]["prompts"][cell.prompt]["digest"],
                "model_identity": identity_of(entries[run, cell], manifests[run]),
                "rows": rows,
            }
            for (run, cell), rows in cells.items()
        ],
    }


def _run_entry(run: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    folder = open_run(run)
    logs = (folder.manifest, folder.generations, folder.trials)
    return {
        "name": run.name,
        "started": manifest["started"],
        "git": manifest["git"],
        # Hashed once more: the digest itself is the key to an export's made-up names.
        "data_digest": {
            name: hashed_digest(entry["data_digest"]) for name, entry in manifest["tasks"].items()
        },
        "sha256": {log.name: digest_file(log) for log in logs if log.is_file()},
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
