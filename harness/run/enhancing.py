"""Endpoints that enhance the pictures of a run: each picture is asked for once, and kept in the run folder.

A kept picture is named by a digest of the endpoint's identity and of the picture that was sent, so a run that was killed
asks for no picture again, and pictures of an earlier version of the endpoint are not used. Pictures are asked for one
after another, when a trial that shows them is prepared.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.conditions.enhance import endpoints_of
from harness.core.enhancer import PREFIX, EnhancerError
from harness.core.errors import HarnessError
from harness.core.generation import Failure
from harness.core.text import counted
from harness.enhancers.settings import SILENT, EnhancerSettings, settings_of
from harness.models.retry import Patience
from harness.run.axes import Axes
from harness.run.enhanced_pictures import LOG
from harness.run.folder import RunFolder, write_atomically, write_error
from harness.run.job import Job
from harness.run.log import AppendLog
from harness.run.loop import Stop, Stopped, complete
from harness.run.plan import Plan
from harness.run.reuse import OtherRun

if TYPE_CHECKING:
    from harness.enhancers.client import Client

PROBE_SIDE = 224
"""Pixels a side of the drawn face that an endpoint is tried with."""


@dataclass(frozen=True, slots=True)
class Identified:
    """An endpoint as a run knows it."""

    settings: EnhancerSettings
    version: str = ""
    """What it says of its version; empty where it says nothing, or was not asked yet."""

    @property
    def identity(self) -> str:
        """What its pictures hang on."""
        return (
            f"{self.settings.stated} version {self.version}"
            if self.version
            else self.settings.stated
        )

    def entry(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {
            "url": self.settings.url, "stated": self.settings.stated, "version": self.version,
            "identity": self.identity,
        }  # fmt: skip


def recorded(
    manifest: Mapping[str, Any], named: Mapping[str, EnhancerSettings]
) -> dict[str, Identified]:
    """Endpoints as a manifest recorded them, where `harness.toml` describes them as it did then; others without a version."""
    known = manifest.get("enhancers", {})
    return {
        name: Identified(settings, str(known[name].get("version", "")))
        if known.get(name, {}).get("stated") == settings.stated
        else Identified(settings)
        for name, settings in named.items()
    }


def identities(found: Mapping[str, Identified]) -> dict[str, str]:
    """Name -> identity."""
    return {name: one.identity for name, one in found.items()}


def probed(client: Client, *, allow_remote: frozenset[str]) -> tuple[Identified, str]:
    """An endpoint with its version, found by sending it a drawn face, and what to tell the person who runs (mostly nothing).

    Raises HarnessError where nothing answers, or no request can succeed.
    """
    from harness.faces import face_at
    from harness.sources.drawn_pictures import DrawnPicture

    settings = client.settings
    once = _client(client.name, settings, allow_remote=allow_remote, patience=Patience(tries=1))
    face = DrawnPicture("a drawn face", face_at(0, seed=0), PROBE_SIDE).read()
    try:
        answer = complete(partial(once.ask, face))
    except EnhancerError as error:
        if error.failure.kind in SILENT:
            raise _silent(client, error) from None
        return Identified(settings), f"a drawn face was not enhanced: {error.message}"
    return Identified(settings, answer.version), ""


def _silent(client: Client, error: EnhancerError) -> HarnessError:
    return HarnessError(
        error.message,
        hint=f"start the server, or correct url under [enhancers.{client.name}] of harness.toml",
    )


def open_enhancing(
    job: Job,
    plan: Plan,
    *,
    before: Mapping[str, Any],
    foreseen: Callable[[Axes], Mapping[str, int]],
    others: Sequence[OtherRun] = (),
) -> tuple[Job, Plan, Enhancing]:
    """The job with the identities of the endpoints that a plan names, the plan with what asks them, and they.

    One of which all trials are finished (`foreseen`: cell id -> finished trials, for identities) is not asked and stays
    as `before` recorded it; others are sent a drawn face. Raises HarnessError for an endpoint that `harness.toml` does not
    have, a host that was not allowed, and where nothing answers.
    """
    named = settings_of([cell.condition for cell in plan.cells], job.workspace.enhancers)
    allowed = job.options.allow_remote
    clients = {
        name: _client(name, settings, allow_remote=allowed) for name, settings in named.items()
    }
    found, notes = recorded(before, named), []
    if named:
        done = foreseen(replace(job.axes, enhancers=identities(found)))
        anew = job.check_models or job.again is not None
        for name, client in clients.items():
            mine = [cell for cell in plan.cells if name in endpoints_of(cell.condition)]
            if anew or any(done.get(cell.id, 0) < plan.counts[cell.id] for cell in mine):
                found[name], note = probed(client, allow_remote=allowed)
                notes += [note] if note else []
    axes = replace(job.axes, enhancers=identities(found))
    folders = [other.folder for other in others]
    enhancing = Enhancing(clients, found, job.folder, others=folders, notes=notes)
    return replace(job, axes=axes), replace(plan, enhancers=enhancing.enhancers), enhancing


class Enhancing:
    """The endpoints of one run. Its pictures may be asked for from several threads."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        found: Mapping[str, Identified],
        folder: RunFolder,
        *,
        others: Sequence[RunFolder] = (),
        notes: Sequence[str] = (),
    ) -> None:
        """`found` says how each is identified; `others` are run folders whose pictures may be taken; `notes` are for the
        person who runs."""
        self.notes = tuple(notes)
        self.entries = {name: one.entry() for name, one in found.items()}
        self.enhancers: Mapping[str, EndpointEnhancer] = MappingProxyType(
            {
                name: EndpointEnhancer(client, found[name], folder, others)
                for name, client in clients.items()
            }
        )

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """Name -> what came of its pictures since the start: `asked`, `kept`, `scaled`, `failed`."""
        return {name: one.counts for name, one in self.enhancers.items()}

    def begin(self) -> None:
        """Let pictures be asked for, and those again that failed before."""
        for one in self.enhancers.values():
            one.begin()

    def end(self) -> None:
        """Give up what is being asked, so that no thread waits for it."""
        for one in self.enhancers.values():
            one.end()


class EndpointEnhancer:
    """An Enhancer: asks one endpoint, and keeps what it gives."""

    def __init__(
        self, client: Client, found: Identified, folder: RunFolder, others: Sequence[RunFolder]
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._client = client
        self._found = found
        self._folder = folder
        self._places = [folder.enhanced, *(other.enhanced for other in others)]
        self._stop = Stop()
        self._lock = threading.Lock()
        self._failed: dict[str, Failure] = {}
        self._seen: set[str] = set()
        """Keys of pictures that were counted, since a run may read one several times."""

    def begin(self) -> None:
        """Let pictures be asked for, and those again that failed."""
        self._stop, self._failed = Stop(), {}

    def end(self) -> None:
        """Give up what is being asked."""
        self._stop.request()

    def enhanced(self, png: bytes, *, name: str) -> bytes:
        """The picture from the folder, or asked for and kept. Raises EnhancerError where none comes, and HarnessError where
        none can."""
        key = hashlib.sha256(f"{self._found.identity}\0".encode() + png).hexdigest()
        with self._lock:
            if (kept := self._kept(key)) is not None:
                self.counts["kept"] += key not in self._seen
                self._seen.add(key)
                return kept
            if key in self._failed:
                raise EnhancerError(self._failed[key])
            try:
                return self._asked(key, png)
            except EnhancerError as error:
                failure = Failure(error.failure.kind, f"{error.failure.detail}: {name}")
                self._failed[key] = failure
                self.counts["failed"] += 1
                raise EnhancerError(failure) from None
            except Stopped:
                told = f"{PREFIX}{self._client.name}: the run was stopped"
                raise EnhancerError(Failure("timeout", told)) from None

    def _asked(self, key: str, png: bytes) -> bytes:
        start = time.perf_counter()
        answer = complete(partial(self._client.ask, png), stop=self._stop)
        if self._found.version and answer.version != self._found.version:
            raise HarnessError(
                f"{PREFIX}{self._client.name}: pictures come from version {answer.version or '(none said)'} now, and the "
                f"run began with {self._found.version}",
                hint="run the same command again with --check-model: its pictures are then asked for again",
            )
        self._seen.add(key)
        self.counts["asked"] += 1
        self.counts["scaled"] += answer.scaled
        place = _place(self._folder.enhanced, key)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(place.parent, error) from None
        write_atomically(place, answer.png)
        log = AppendLog(self._folder.enhanced / LOG)
        log.append(
            {
                "endpoint": self._client.name, "identity": self._found.identity, "picture": key,
                "came": list(answer.came), "scaled": answer.scaled,
                "seconds": round(time.perf_counter() - start, 3),
            }
        )  # fmt: skip
        log.close()
        return answer.png

    def _kept(self, key: str) -> bytes | None:
        for folder in self._places:
            try:
                return _place(folder, key).read_bytes()
            except OSError:
                continue
        return None


@dataclass(frozen=True, slots=True)
class Unkept:
    """An Enhancer that asks each time and keeps nothing, to look at a picture outside a run."""

    client: Client

    def enhanced(self, png: bytes, *, name: str) -> bytes:
        """The picture asked for. Raises EnhancerError, and HarnessError where nothing answers."""
        del name
        try:
            return complete(partial(self.client.ask, png)).png
        except EnhancerError as error:
            if error.failure.kind in SILENT:
                raise _silent(self.client, error) from None
            raise


def unkept(condition: str, known: Mapping[str, EnhancerSettings]) -> dict[str, Unkept]:
    """What asks the endpoints of a condition on this machine. Raises HarnessError for an unknown one, and for another
    machine."""
    found = settings_of([condition], known)
    return {name: Unkept(_client(name, settings)) for name, settings in found.items()}


def _client(name: str, settings: EnhancerSettings, **options: Any) -> Client:
    """What asks an endpoint; few runs have one."""
    from harness.enhancers.client import Client

    return Client(name, settings, **options)


def _place(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.png"


def endpoint_notes(
    plan: Plan, done: Mapping[str, int], named: Mapping[str, EnhancerSettings]
) -> list[str]:
    """A line for each endpoint that is still to be asked: about how many samples, and where."""
    notes = []
    for name, settings in named.items():
        left: dict[tuple[str, str, int], int] = {}
        for cell in plan.cells:
            if name in endpoints_of(cell.condition):
                view = (cell.task, cell.condition, cell.shots)
                trials = plan.counts[cell.id] - done.get(cell.id, 0)
                left[view] = max(left.get(view, 0), -(-trials // plan.repeats))
        if samples := sum(left.values()):
            notes.append(
                f"{PREFIX}{name} will send the pictures of at most {counted(samples, 'sample')} to {settings.url}, "
                "one request for each picture that the run folder does not have"
            )
    return notes


def told(counts: Mapping[str, Counter[str]]) -> Iterator[str]:
    """What came of the pictures, a line for each endpoint that was asked."""
    for name, found in counts.items():
        if not found.total():
            continue
        scaled = f", {found['scaled']:,} of another size scaled back" if found["scaled"] else ""
        failed = f", {found['failed']:,} not enhanced" if found["failed"] else ""
        yield (
            f"{PREFIX}{name}: {counted(found['asked'], 'picture')} enhanced{scaled}{failed}; "
            f"{found['kept']:,} read from the run folder"
        )
