"""Files of a submission: answers, a zip of them, and a receipt with their provenance."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.answers import PARSER_VERSION
from harness.core.cell import Cell
from harness.core.errors import HarnessError
from harness.core.text import digest_file
from harness.exports.pseudonyms import hashed_digest
from harness.metrics.spots import Spot
from harness.run.cell_entry import cell_of, identity_of
from harness.run.folder import open_run, write_atomically
from harness.run.scoring import scored_manifest
from harness.submit.assemble import Assembled, Fill
from harness.submit.check import Findings, check_rows
from harness.submit.forms import SubmissionForm
from harness.submit.spots import Spotted, Videos, check_spots, spot_bytes
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
        """Write answers, zip and receipt into `out`; returns their paths. Raises HarnessError when it cannot."""
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


def pack(form: SubmissionForm, parts: Sequence[Assembled], fill: Fill) -> Package:
    """The submission for files of questions answered. Raises HarnessError where our own check finds a fault."""
    files = {part.questions.answers_to: rows_of(part) for part in parts}
    findings = tuple(
        check_rows(data, part.questions, form, name=name)
        for part, (name, data) in zip(parts, files.items(), strict=True)
    )
    for found in findings:
        if found.faults:
            raise HarnessError(
                f"{found.file}: {'; '.join(found.faults)}", hint="correct the rows named"
            )
    return Package(form, files, findings, _receipt(form, parts, files, findings, fill))


def rows_of(part: Assembled) -> bytes:
    """JSON lines: the questions' rows, fields in their order, with the answers filled in."""
    lines = []
    for question, answer in zip(part.questions.rows, part.answers, strict=True):
        row = {**question.cells, "answer": answer}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines).encode("utf-8", "replace")


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


def pack_spots(
    form: SubmissionForm, parts: Sequence[tuple[Videos, Sequence[Spot], Sequence[Spotted]]]
) -> Package:
    """The submission for tables of videos. Raises HarnessError where our own check finds a fault."""
    files = {asked.answers_to: spot_bytes(spots) for asked, spots, _ in parts}
    findings = tuple(
        check_spots(data, asked, form, name=name)
        for (asked, _, _), (name, data) in zip(parts, files.items(), strict=True)
    )
    for found in findings:
        if found.faults:
            raise HarnessError(
                f"{found.file}: {'; '.join(found.faults)}", hint="correct the rows named"
            )
    told = [
        _file_entry(found, files[found.file], asked.path.name, asked.digest)
        for (asked, _, _), found in zip(parts, findings, strict=True)
    ]
    cells = Counter((one.run, one.cell) for _, _, used in parts for one in used for _ in one.videos)
    return Package(form, files, findings, {**_head(form, files), "files": told, **_origin(cells)})


def _receipt(
    form: SubmissionForm,
    parts: Sequence[Assembled],
    files: Mapping[str, bytes],
    findings: Sequence[Findings],
    fill: Fill,
) -> dict[str, Any]:
    told = [
        _file_entry(found, files[found.file], part.questions.path.name, part.questions.digest)
        | {"filled": [asdict(one) for one in part.filled]}
        for part, found in zip(parts, findings, strict=True)
    ]
    cells = Counter((given.run, given.cell) for part in parts for given in part.given)
    return {**_head(form, files), "files": told, "fill": asdict(fill), **_origin(cells)}


def _head(form: SubmissionForm, files: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "schema": 1,
        "challenge": form.name,
        "harness": __version__,
        "parser": PARSER_VERSION,
        "note": "the layout of the zip file and the lists of labels are not confirmed by the "
        "challenge",
        "zip": {"name": f"{form.name}.zip", "sha256": _sha256(zipped(files))},
    }


def _file_entry(found: Findings, data: bytes, asked: str, asked_digest: str) -> dict[str, Any]:
    return {
        "name": found.file,
        "sha256": _sha256(data),
        "rows": found.rows,
        "questions": asked,
        "questions_sha256": asked_digest,
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
