"""A run from plan to report: the one way, for the command and for Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from harness.api.options import Evaluation
from harness.core.errors import Interrupted, working
from harness.media.portable import READ_AS
from harness.run.execute import Tally
from harness.run.folder import RunFolder
from harness.run.loop import Stop, Stopped
from harness.run.runner import plan_job, run_job
from harness.run.scoring import put_in_place, read_scoring
from harness.score import Scores, score_run


class Counting(Protocol):
    """What is told of each finished trial."""

    def update(self, tally: Tally) -> None:
        """Take note of what the run has done so far."""


class Watcher(Protocol):
    """Who follows a run."""

    def planned(self, summary: Mapping[str, Any]) -> None:
        """What is about to be asked (`harness.run.runner.ReadyRun.summary`)."""

    def progress(self, total: int) -> AbstractContextManager[Counting]:
        """What follows the trials, `total` of them, while they are run."""

    def tell(self, line: str) -> None:
        """A sentence for the person who waits."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that went to its end."""

    folder: RunFolder
    tally: Tally
    scores: Scores


def carry_out(
    asked: Evaluation, watcher: Watcher, *, report: bool = True, stop: Stop | None = None
) -> Finished:
    """Plan, ask, score, and write the report where one is wanted.

    Raises HarnessError for anything wrong with data, prompts, models or the folder, KeyboardInterrupt, and Stopped
    where `stop` was requested; what was finished by then is kept, and the same options go on from there.
    """
    folder = asked.job.folder
    ending = stop or Stop()
    with folder.claimed():
        tally = _ask(asked, watcher, ending)
        with working():
            ending.check()
            _drop_scoring(folder, watcher)
            scores = score_run(folder)
            if report:
                from harness.report.page import write_report

                write_report(folder)
    return Finished(folder, tally, scores)


def _drop_scoring(folder: RunFolder, watcher: Watcher) -> None:
    """A run is scored as it is asked; what `harness score --set` said before no longer holds."""
    before = read_scoring(folder)
    if before is not None:
        put_in_place(folder, None)
        said = "; ".join(before["said"])
        watcher.tell(
            f"note: scored as asked, no longer with {said}; give that to `harness score` again"
        )


def _ask(asked: Evaluation, watcher: Watcher, stop: Stop) -> Tally:
    """Plan and run."""
    ready = plan_job(asked.job, opening=asked.opening)
    try:
        stop.check()
        watcher.planned(ready.summary())
        with working(), watcher.progress(ready.plan.trials) as progress:
            tally = run_job(
                ready,
                on_trial=progress.update,
                on_note=lambda note: watcher.tell(f"warning: {note}"),
                stop=stop,
            )
    except (KeyboardInterrupt, Stopped) as error:
        watcher.tell(
            f"\ninterrupted; what was finished is kept in {asked.job.folder.path}\n"
            "the same command goes on from there"
        )
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted from None
        raise
    finally:
        ready.close()
    for line in _told(tally):
        watcher.tell(line)
    return tally


def _told(tally: Tally) -> Iterator[str]:
    for rule, trials in sorted(tally.fallbacks.items()):
        yield f"{rule}: {trials} of {tally.trials} trials were put in another form"
    for rule, trials in sorted(tally.read_as.items()):
        yield f"{trials} of {tally.trials} trials: {READ_AS[rule]}"
    if tally.failed:
        yield (
            f"{tally.failed} of {tally.trials} trials failed; the first: {tally.first_failure}\n"
            "they are asked again when the same command is given again"
        )
