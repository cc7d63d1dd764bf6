"""Carry out a run from plan to report, for the command and for Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from harness.api.options import Evaluation
from harness.api.select import Select, choose, halves, note_opening, opened, record, reported
from harness.core.cell_pattern import CellPattern
from harness.core.errors import Interrupted, working
from harness.core.plugin_faults import naming_plugins
from harness.media.portable import READ_AS
from harness.run.enhancing import told
from harness.run.folder import RunFolder
from harness.run.loop import Stop, Stopped
from harness.run.plan import Plan
from harness.run.ready_run import ReadyRun
from harness.run.reuse import reuse_told
from harness.run.runner import plan_job, run_job
from harness.run.scoring import put_in_place, read_scoring
from harness.run.strays import refuse_strays
from harness.run.tally import Tally
from harness.score.folder import score_run
from harness.score.scores import Scores

Planned: TypeAlias = Callable[[ReadyRun], None]
"""Called between planning and asking."""


class Counting(Protocol):
    """What is told of each finished trial."""

    def update(self, tally: Tally) -> None:
        """Take note of what the run has done so far."""


class Watcher(Protocol):
    """Who follows a run."""

    def planned(self, summary: Mapping[str, Any]) -> None:
        """What is about to be asked (`harness.run.ready_run.ReadyRun.summary`)."""

    def progress(self, plan: Plan) -> AbstractContextManager[Counting]:
        """What follows the trials of a plan while they are run."""

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

    Where prompts are chosen (`Evaluation.select`), all of them are asked about the samples to choose on, and then the
    chosen ones about those to report on.

    Raises HarnessError for anything wrong with data, prompts, models or the folder, KeyboardInterrupt, and Stopped
    where `stop` was requested; what was finished by then is kept, and the same options go on from there.
    """
    folder = asked.job.folder
    ending = stop or Stop()
    refuse_strays(folder)
    with naming_plugins(), folder.claimed():
        if asked.select is None:
            tally, scores = _asked_and_scored(asked, watcher, ending)
        else:
            tally, scores = _chosen_and_reported(asked, asked.select, watcher, ending)
        with working():
            if report:
                from harness.report.page import write_report

                write_report(folder)
    return Finished(folder, tally, scores)


def _asked_and_scored(
    asked: Evaluation, watcher: Watcher, stop: Stop, *, planned: Planned = lambda ready: None
) -> tuple[Tally, Scores]:
    tally = _ask(asked, watcher, stop, planned)
    with working():
        stop.check()
        _drop_scoring(asked.job.folder, watcher)
        return tally, score_run(asked.job.folder)


def _chosen_and_reported(
    asked: Evaluation, select: Select, watcher: Watcher, stop: Stop
) -> tuple[Tally, Scores]:
    """Both stages; what the first has asked is not asked again."""
    job = asked.job
    on, report = halves(job.tasks, select)
    tally, scores = _asked_and_scored(
        replace(asked, job=replace(job, tasks=tuple(on))), watcher, stop
    )
    with working():
        choices = choose(scores, on, select, condition=job.axes.conditions[0])
    for choice in choices:
        watcher.tell(str(choice))
    against = job.axes.experiment.get("against")
    only = reported(choices, CellPattern(**against) if against else None)
    recorded = {**job.axes.experiment, "select": record(select, choices)}
    axes = replace(job.axes, only=only, experiment=recorded)
    final = replace(job, tasks=(*on, *report), axes=axes)

    def opening(ready: ReadyRun) -> None:
        if any(
            cell.task in only and ready.done[cell.id] < ready.plan.counts[cell.id]
            for cell in ready.plan.cells
        ):
            times = note_opening(job.folder, choices)
            watcher.tell(opened(times))

    later, scores = _asked_and_scored(replace(asked, job=final), watcher, stop, planned=opening)
    # Planned again as a whole, what the first stage asked counts as found in the journal; it was asked by this command.
    found = tally.asked + tally.taken.total()
    fresh = replace(
        later,
        asked=tally.asked + later.asked,
        taken=tally.taken + later.taken,
        reused=max(0, later.reused - found),
    )
    return fresh, scores


def _drop_scoring(folder: RunFolder, watcher: Watcher) -> None:
    """A run is scored as it is asked; what `harness score --set` said before no longer holds."""
    before = read_scoring(folder)
    if before is not None:
        put_in_place(folder, None)
        said = "; ".join(before["said"])
        watcher.tell(
            f"note: scored with the run's own settings again; {said} no longer applies. To "
            "keep it, pass it to `harness score` again"
        )


def _ask(asked: Evaluation, watcher: Watcher, stop: Stop, planned: Planned) -> Tally:
    """Plan and run; `planned` is called in between."""
    ready = plan_job(asked.job, opening=asked.opening)
    try:
        stop.check()
        watcher.planned(ready.summary())
        planned(ready)
        with working(), watcher.progress(ready.plan) as progress:
            tally = run_job(
                ready,
                on_trial=progress.update,
                on_note=lambda note: watcher.tell(f"warning: {note}"),
                stop=stop,
            )
    except (KeyboardInterrupt, Stopped) as error:
        folder = asked.job.folder
        kept = (
            f"finished requests are kept in {folder.path}\nrun the same command again to continue"
        )
        watcher.tell(
            f"\ninterrupted; {kept if folder.generations.is_file() else 'nothing was asked yet'}"
        )
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted from None
        raise
    finally:
        ready.close()
    for line in (*_told(tally), *reuse_told(ready.others, tally.taken, asked=tally.asked)):
        watcher.tell(line)
    return tally


def _told(tally: Tally) -> Iterator[str]:
    yield from told(tally.enhanced)
    for rule, trials in sorted(tally.fallbacks.items()):
        yield f"{rule}: {trials} of {tally.trials} trials were sent in another form"
    for rule, trials in sorted(tally.read_as.items()):
        yield f"{trials} of {tally.trials} trials: {READ_AS[rule]}"
    if tally.failed:
        yield (
            f"{tally.failed} of {tally.trials} trials failed; first failure: "
            f"{tally.first_failure}\nrun the same command again to retry them"
        )
