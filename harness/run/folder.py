"""The run folder: its files, and a lock for the one process that writes it."""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import os
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from harness.core.errors import HarnessError
from harness.run.unfinished import clear_run, unfinished

_OUTPUTS = frozenset(
    {
        ".lock",
        "private",
        "records.parquet",
        "scores.json",
        "extras.json",
        "report.html",
        "report.md",
        "report.json",
        "cues.html",
    }
)
"""What a folder may hold that scores and pages are written to."""

LOOKING = 0.2
"""Seconds that a folder's lock is waited for: longer than those hold it who only look whether it is held."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run on disk. Everything right of the journal reads only this folder."""

    path: Path
    overlay: Path | None = None
    """Where the scoring lies while it is tried out; None: `private/scoring`."""
    written: Path | None = None
    """Where scores, records and pages are written in place of the run's folder, which then stays untouched."""

    @property
    def output(self) -> Path:
        """Where what is made of the replies is written."""
        return self.written or self.path

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def enhanced(self) -> Path:
        """The pictures that endpoints gave back (`harness.run.enhancing`)."""
        return self.private / "enhanced"

    @property
    def history(self) -> Path:
        """One line for each time the run was started."""
        return self.path / "history.jsonl"

    @property
    def openings(self) -> Path:
        """One line for each time that samples to report on were asked after a choice of prompts."""
        return self.path / "openings.jsonl"

    @property
    def plan(self) -> Path:
        return self.path / "plan.parquet"

    @property
    def replicas(self) -> Path:
        return self.path / "replicas.jsonl"

    @property
    def generations(self) -> Path:
        return self.path / "generations.jsonl"

    @property
    def conversations(self) -> Path:
        """Each rendered conversation once, pictures as `[image N]`."""
        return self.path / "conversations.jsonl"

    @property
    def trials(self) -> Path:
        return self.path / "trials.jsonl"

    @property
    def records(self) -> Path:
        return self.output / "records.parquet"

    @property
    def scores(self) -> Path:
        return self.output / "scores.json"

    @property
    def again(self) -> Path:
        """Replies to finished trials that were asked anew (`harness.run.again`); absent without `--again`."""
        return self.path / "again.jsonl"

    @property
    def extras(self) -> Path:
        """What is told beside the scores and is none: tokens, seconds and money of the replies, and what changed where
        they were asked anew. Scores do not depend on it."""
        return self.output / "extras.json"

    @property
    def report(self) -> Path:
        return self.output / "report.html"

    @property
    def notes(self) -> Path:
        """What a person wrote about the run (`harness.run.notes`); absent without notes."""
        return self.path / "notes.json"

    @property
    def private(self) -> Path:
        """Targets, annotations and paths: never exported."""
        return self.path / "private"

    @property
    def fit_on(self) -> Path:
        """Labels of other data, counted for the baselines; absent without `--fit-on`."""
        return self.private / "fit_on.json"

    @property
    def gone(self) -> Path:
        """Task -> ids of samples that were asked and that its source no longer has; absent where there are none."""
        return self.private / "gone.json"

    @property
    def stamps(self) -> Path:
        """What the samples of finished trials were (`harness.run.stamps`)."""
        return self.private / "stamps.bin"

    @property
    def planned(self) -> Path:
        """What samples and plan were made of (`harness.run.planned_before`)."""
        return self.private / "planned.json"

    def samples(self, task: str) -> Path:
        """The samples of one task as planned."""
        return self.private / "samples" / f"{task.replace('/', '__')}.parquet"

    @property
    def scoring(self) -> Path:
        """How the run is scored otherwise than it was asked (`harness.run.scoring`); absent without that."""
        return self.overlay or self.private / "scoring"

    def scored_samples(self, task: str) -> Path:
        """The samples of one task as they are scored: corrected ones where there are any, else those planned."""
        corrected = self.scoring / "samples" / self.samples(task).name
        return corrected if corrected.is_file() else self.samples(task)

    def create(self) -> None:
        """Make the folder. Raises HarnessError where that cannot be."""
        try:
            (self.private / "samples").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarnessError(
                f"cannot make the run folder {self.path}: {error.strerror}",
                hint="choose another folder with --out DIR",
            ) from None
        if not os.access(self.path, os.W_OK):
            raise HarnessError(
                f"the run folder {self.path} is read-only",
                hint="choose another folder with --out DIR",
            )

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the folder where there is none, and hold it for writing; where it stays without a run, what was made
        is taken away again, but for the log of a server that failed.

        Raises HarnessError as `create` and `locked` do.
        """
        made = list(self._missing())
        try:
            self.create()
            with self.locked():
                try:
                    yield
                finally:
                    if not self.manifest.exists():
                        self._take_away(made)
        finally:
            for folder in made:
                with contextlib.suppress(OSError):  # it holds something
                    folder.rmdir()

    def _missing(self) -> Iterator[Path]:
        """The folders that are not there yet, the innermost first."""
        folder = self.private / "samples"
        while not folder.exists():
            yield folder
            folder = folder.parent

    def _take_away(self, made: Collection[Path]) -> None:
        """Remove what was written for a run that did not begin."""
        if self.private in made:
            shutil.rmtree(self.private, ignore_errors=True)
            self.plan.unlink(missing_ok=True)
        (self.path / ".lock").unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder that is written for writing; what killed commands left unfinished there is removed.

        Raises HarnessError when another process holds it.
        """
        try:
            file = (self.output / ".lock").open("w")
        except OSError as error:
            raise write_error(self.output, error) from None
        with file:
            self._hold(file)
            clear_run(self.output)
            yield

    @contextlib.contextmanager
    def steady(self) -> Iterator[None]:
        """Hold the folder while it is read and not written; where its lock cannot be opened, nobody writes it.

        Raises HarnessError when another process writes it.
        """
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                self._hold(stack.enter_context((self.path / ".lock").open("rb")))
            yield

    def is_held(self) -> bool:
        """Whether another process is writing the folder now. Who looks holds it for a moment, which `_hold` waits out."""
        try:
            with (self.path / ".lock").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _hold(self, file: IO[Any]) -> None:
        end = time.monotonic() + LOOKING
        try:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(LOOKING / 10)
            if not os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat()):
                raise BlockingIOError  # one who just left took the file away, another made it anew
        except (BlockingIOError, FileNotFoundError):
            raise HarnessError(
                f"another process is writing {self.output}",
                hint="wait until it ends, or choose another folder with --out DIR",
            ) from None

    def writing_to(self, place: Path) -> RunFolder:
        """The same run with scores, records and pages in the folder `place`, which is made where it is not there.

        It is scored as it was scored there last, else as in its own folder. Raises HarnessError for a folder that
        holds anything else, and where it cannot be made.
        """
        try:
            place.mkdir(parents=True, exist_ok=True)
            strays = sorted({path.name for path in place.iterdir()} - _OUTPUTS)
        except OSError as error:
            raise write_error(place, error) from None
        strays = [name for name in strays if ".unfinished-" not in name]
        if strays:
            raise HarnessError(
                f"{place} already exists and holds {strays[0]}",
                hint="use a new folder, or one that scores and reports were written to before",
            )
        scoring = place / "private" / "scoring"
        known = (place / "scores.json").is_file() or scoring.is_dir()
        return replace(self, written=place, overlay=scoring if known else self.scoring)


def open_run(path: Path) -> RunFolder:
    """An existing run. Raises HarnessError for a folder that is none."""
    folder = RunFolder(path)
    if not folder.manifest.is_file():
        raise HarnessError(
            f"{path} is not a run folder: it has no manifest.json",
            hint="name a folder written by `harness run`, such as results/runs/NAME"
            + near_runs(path),
        )
    return folder


def near_runs(path: Path) -> str:
    """`; did you mean ...?` with runs beside it whose names are like that of a path that is not there; else empty."""
    if path.exists() or not path.parent.is_dir():
        return ""
    beside = [one.name for one in path.parent.iterdir() if (one / "manifest.json").is_file()]
    near = difflib.get_close_matches(path.name, sorted(beside), n=2)
    return (
        f"; did you mean {' or '.join(str(path.parent / name) for name in near)}?" if near else ""
    )


def write_error(path: Path, error: OSError) -> HarnessError:
    """The error for a write that failed: no such folder, the disk is full, the place read-only, a limit reached."""
    at = next((one for one in path.absolute().parents if one.exists()), Path("/"))
    if not at.is_dir():
        return HarnessError(
            f"cannot write {path}: {at} is a file, not a folder",
            hint="name another place",
            at_work=True,
        )
    if isinstance(error, FileExistsError) and path.is_file():
        return HarnessError(
            f"{path} is a file, not a folder", hint="name another place", at_work=True
        )
    if isinstance(error, FileNotFoundError) and not path.parent.exists():
        return HarnessError(
            f"cannot write {path}: there is no folder {path.parent}",
            hint="create it, or name a file in another folder", at_work=True,
        )  # fmt: skip
    if isinstance(error, IsADirectoryError) or (path.is_dir() and path.suffix):
        return HarnessError(
            f"cannot write {path}: it is a folder", hint="name a file", at_work=True
        )
    return HarnessError(
        f"cannot write {path}: {error.strerror or error}",
        hint="free disk space or make the folder writable, then run the same command again; "
        "finished requests are kept",
        at_work=True,
    )


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` in one step: readers see the old file or the new one.

    Where the block raises, the old file stays. Raises HarnessError when the disk is full or the place read-only.
    """
    beside = unfinished(path)
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise write_error(path, error) from None
        raise


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Replace `path` by `data`, see `replacing`. Raises HarnessError."""
    with replacing(path) as file:
        file.write(data)
