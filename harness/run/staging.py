"""Write a plan next to the run it will replace, so that a command that fails early changes nothing."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from harness.run.folder import RunFolder, write_error
from harness.run.unfinished import unfinished_folder

PLAN = "plan"


def stage(folder: RunFolder) -> RunFolder:
    """A new folder inside a run's, for its plan and samples; those that killed commands left are removed.

    Raises HarnessError where it cannot be made.
    """
    folder.create()
    try:
        staged = RunFolder(unfinished_folder(folder.path, PLAN))
    except OSError as error:
        raise write_error(folder.path, error) from None
    staged.create()
    return staged


def put_in_place(staged: RunFolder, folder: RunFolder) -> None:
    """Move the plan and the samples of the tasks planned to where the run has them. Raises HarnessError."""
    folder.create()
    try:
        for path in sorted((staged.private / "samples").iterdir()):
            path.replace(folder.private / "samples" / path.name)
        staged.plan.replace(folder.plan)
        for made, place in (
            (staged.fit_on, folder.fit_on),
            (staged.gone, folder.gone),
            (staged.planned, folder.planned),
        ):
            if made.is_file():
                made.replace(place)
            else:
                place.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(Path(error.filename2 or error.filename or folder.path), error) from None
    discard(staged)


def discard(staged: RunFolder) -> None:
    """Remove a staged plan."""
    with contextlib.suppress(OSError):
        shutil.rmtree(staged.path)
