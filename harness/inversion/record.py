"""The folder of an audit: what was asked, the attacks that are done, the faces, and the figures.

Killed while it works, a folder is unfinished and goes on: each attack is written whole once it is done, and the figures
come last. The faces and whatever follows the pictures lie in `private/`.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.core.text import digest_json, read_small
from harness.inversion.attack import Trace
from harness.inversion.audit import AuditInputs, attacked
from harness.inversion.defences import Defence
from harness.run.folder import RunFolder, write_atomically, write_error

FIGURES, PAGE = "audit.json", "audit.html"
_SETTINGS = "settings.json"
_KNOWN = {FIGURES, PAGE, "private", ".lock"}
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class AuditFolder:
    """Where one audit lies."""

    path: Path

    @property
    def private(self) -> Path:
        """Settings with the statement of consent, attacks and faces: not for others."""
        return self.path / "private"

    @property
    def settings(self) -> Path:
        return self.private / _SETTINGS

    @property
    def figures(self) -> Path:
        """Figures alone; there only where the audit is done."""
        return self.path / FIGURES

    @property
    def page(self) -> Path:
        return self.path / PAGE

    def attack(self, defence: Defence) -> Path:
        """Coordinates by victim and number of queries."""
        return self.private / "attacks" / f"{_slug(defence)}.npz"

    def faces(self, defence: Defence) -> Path:
        """A sheet with one row for each victim: the attacked picture, and its face after each number of queries."""
        return self.private / "faces" / f"{_slug(defence)}.png"

    @contextlib.contextmanager
    def claimed(self, record: Mapping[str, Any], consented: str | None) -> Iterator[None]:
        """Make the folder, or go on with it, and hold it for writing. What fails before anything was attacked, such as an
        endpoint that does not answer, leaves no folder.

        Raises HarnessError, with nothing changed, for a folder of another audit or of anything else.
        """
        wanted = {**record, "consented": consented}
        self._check(wanted)
        made = None if self.settings.exists() else self.private if self.path.exists() else self.path
        try:
            for place in ("attacks", "faces"):
                (self.private / place).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.path, error) from None
        try:
            with RunFolder(self.path).locked():
                self._check(wanted)
                if not self.settings.exists():
                    write_atomically(self.settings, _text(wanted))
                yield
                made = None
        finally:
            if made is not None and not any((self.private / "attacks").iterdir()):
                shutil.rmtree(made, ignore_errors=True)

    def _check(self, wanted: Mapping[str, Any]) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise HarnessError(f"{self.path} is a file", hint="name a folder with --out DIR")
        if not self.settings.exists():
            strays = sorted(p.name for p in self.path.iterdir() if p.name not in _KNOWN)
            if strays:
                raise HarnessError(
                    f"{self.path} holds {strays[0]} and no audit",
                    hint="name a new or empty folder with --out DIR",
                )
            return
        held = json.loads(read_small(self.settings, most=_LARGEST, what="the settings of an audit"))
        if digest_json(held) != digest_json(wanted):
            differing = [key for key in wanted if held.get(key) != wanted[key]]
            raise HarnessError(
                f"{self.path} holds an audit with other settings ({', '.join(differing) or 'schema'})",
                hint="name another folder with --out DIR",
            )


def make_traces(
    folder: AuditFolder, inputs: AuditInputs, *, tell: Callable[[str], None]
) -> list[Trace]:
    """The attack under each defence: read where it is done, else made and written, with its sheet of faces."""
    run = attacked(inputs)
    traces = []
    for place, defence in enumerate(inputs.defences, 1):
        done = _read(folder.attack(defence), inputs)
        if done is None:
            tell(f"attack {place} of {len(inputs.defences)}: {defence.name}")
            done = run(defence)
            write_atomically(folder.faces(defence), _sheet(inputs, done))
            _write(folder.attack(defence), done)
        traces.append(done)
    return traces


def _write(path: Path, trace: Trace) -> None:
    held = io.BytesIO()
    np.savez(held, coordinates=trace.coordinates, spent=np.array(trace.spent))
    write_atomically(path, held.getvalue())


def _read(path: Path, inputs: AuditInputs) -> Trace | None:
    """An attack that is done; None where there is none. Raises HarnessError for a damaged file."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as held:
            trace = Trace(held["coordinates"], tuple(int(one) for one in held["spent"]))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise HarnessError(f"{path} cannot be read: {error}", hint="delete it, and it is made again") from None  # fmt: skip
    shape = (len(inputs.settings.queries), inputs.victims, len(inputs.basis))
    if trace.coordinates.shape != shape or len(trace.spent) != shape[0]:
        raise HarnessError(f"{path} is of another attack", hint="delete it, and it is made again")
    return trace


def _sheet(inputs: AuditInputs, trace: Trace) -> bytes:
    """PNG of the faces. Rows: victims; columns: the attacked picture, then each number of queries."""
    from PIL import Image

    columns = [np.stack([held[0] for held in inputs.people.pictures[: inputs.victims]])]
    columns += [inputs.basis.render(at) for at in trace.coordinates]
    rows = np.concatenate([np.concatenate(list(column)) for column in columns], axis=1)
    held = io.BytesIO()
    Image.fromarray(rows).save(held, "PNG")
    return held.getvalue()


def _slug(defence: Defence) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{defence.kind} {defence.value:g}" if defence.kind != "none" else "none")  # fmt: skip


def _text(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
