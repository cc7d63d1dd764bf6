"""The user's notes and tags of a run: `notes.json` in its folder."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from harness.core.errors import HarnessError
from harness.core.json_text import parse_json
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.manifest import read_manifest
from harness.run.yaml_file import validated

SCHEMA = 1
LONGEST = 20_000
"""Characters of the notes of a run."""
MOST_TAGS = 20

Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class Notes(BaseModel):
    """What a person says of a run. Nothing else reads it, and no export holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    text: Annotated[str, Field(max_length=LONGEST)] = ""
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS, strict=False)] = ()


def read_notes(folder: RunFolder) -> Notes:
    """The notes of a run; empty where there are none. Raises HarnessError for a file that is broken."""
    try:
        body: Any = parse_json(folder.notes.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Notes()
    except (OSError, ValueError) as error:
        raise _broken(folder, str(error)) from None
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise _broken(folder, f"no notes of schema {SCHEMA}")
    said = {name: body[name] for name in ("text", "tags") if name in body}
    return validated(Notes, said, lambda keys: str(folder.notes), "notes")


def notes_from(said: Any) -> Notes:
    """Notes as a page sends them; tags that say the same are kept once. Raises HarnessError naming what is wrong."""
    if isinstance(said, dict) and isinstance(said.get("tags"), list):
        tags = [tag.strip() if isinstance(tag, str) else tag for tag in said["tags"]]
        said = {**said, "tags": [tag for n, tag in enumerate(tags) if tag not in tags[:n]]}
    return validated(Notes, said, lambda keys: "the notes", "notes")


def write_notes(folder: RunFolder, notes: Notes, *, seen: str) -> None:
    """Save the notes of a run; empty ones remove the file.

    `seen` is the `version` of those that were changed. Raises HarnessError where others were saved since, for an
    export, and where the folder cannot be written.
    """
    if _is_export(folder):
        raise HarnessError(
            f"{folder.path} is an export, which is made to be passed on",
            hint="write the notes of the run that it was made from",
        )
    if version(folder) != seen:
        raise HarnessError(
            f"{folder.notes} was changed since this page read it",
            hint="copy your text, reload the page, and paste it there",
        )
    if not notes.text.strip() and not notes.tags:
        try:
            folder.notes.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(folder.notes, error) from None
        return
    body = {
        "schema": SCHEMA,
        "text": notes.text,
        "tags": list(notes.tags),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    text = json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    write_atomically(folder.notes, text.encode("utf-8", "replace"))


def _is_export(folder: RunFolder) -> bool:
    try:
        return "export" in read_manifest(folder)
    except HarnessError:
        return False  # of a broken run there is something to note


def version(folder: RunFolder) -> str:
    """A digest of the file; empty where there is none."""
    try:
        return hashlib.sha256(folder.notes.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


def _broken(folder: RunFolder, fault: str) -> HarnessError:
    return HarnessError(
        f"{folder.notes} cannot be read: {fault}",
        hint="correct it, or delete it; it holds only notes",
        at_work=False,
    )
