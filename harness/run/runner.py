"""A whole run: plan a job, then execute it model by model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from harness.core.cell import Cell
from harness.core.constraint import Need
from harness.core.errors import HarnessError, refusing
from harness.core.model import Card, KeepsApart, Loading, Model, Probing, Replicating
from harness.models import open_model, runs_here, runs_in_place
from harness.prompting.library import Library
from harness.run.adapter_folds import MARK
from harness.run.again import choose_round, narrowed
from harness.run.basis import accepted_bases
from harness.run.budget import Purse, open_budget
from harness.run.cache_counts import counting_caches, pictures_at_once, predict_sharing
from harness.run.capability_check import (
    check,
    check_detail,
    check_pictures,
    find_out,
    recorded_offers,
)
from harness.run.cell_entry import given_ids
from harness.run.condition_check import check_conditions
from harness.run.enhanced_pictures import keep_counts
from harness.run.enhancing import open_enhancing
from harness.run.execute import execute
from harness.run.families import check_families, check_outputs
from harness.run.finished import FinishedTrials
from harness.run.fit_on import write_fit
from harness.run.folder import RunFolder
from harness.run.forecast import check_lengths
from harness.run.foreseen import confirmed_done, foreseen_done, foreseen_others, recorded_bases
from harness.run.job import Job
from harness.run.loop import Stop, complete
from harness.run.manifest import (
    build_manifest,
    keep_sources,
    read_manifest,
    recorded_card,
    write_details,
)
from harness.run.plan import Plan, make_plan
from harness.run.plan_warnings import class_changes, tool_changes
from harness.run.prompt_check import check_prompts
from harness.run.ready_run import ReadyRun, close_models
from harness.run.recorded import RecordedModel
from harness.run.reuse import ReplyIndex, open_others
from harness.run.second_model import SecondModel
from harness.run.shards import of_shard
from harness.run.shared_prompts import SharedPrompts
from harness.run.staging import discard, stage
from harness.run.stop import RESUME
from harness.run.tally import Tally


def plan_job(job: Job, *, opening: Callable[[str], Model] | None = None) -> ReadyRun:
    """Plan beside the folder and open the models. Nothing is asked and nothing in the folder changes yet.

    A model of which every trial is finished under the identity that was recorded is not opened. `opening` gives the
    model of a name; left out, it is opened by `harness.models`. Raises HarnessError for anything wrong with data,
    prompts or models.
    """
    before = manifest_before(job.folder)
    others = open_others(job.reuse, job.folder)
    index = ReplyIndex(others) if others else None
    budget = open_budget(
        job.folder, before, job.axes.prices, models=job.axes.models, most=job.limits.cost,
        free=[spec for spec in job.axes.models if runs_here(job.axes.settings_of(spec).model)],
    )  # fmt: skip
    staged = stage(job.folder)
    models: dict[str, Model] = {}
    opened = opening or partial(open_model, options=job.options)
    second = None
    try:
        if job.axes.second:
            second = SecondModel(job.axes.second, opened(job.axes.second))
            job = replace(job, axes=second.identified(job.axes))
        library = Library(job.workspace.prompts)
        plan = make_plan(
            job.tasks, job.axes, library, staged,
            here=job.workspace.here, before=job.folder, ids=given_ids(before), data=job.workspace.data,
        )  # fmt: skip
        check_prompts(plan, library)
        check_conditions(plan)
        write_fit(staged, job.tasks, job.fit_on, here=job.workspace.here)
        finished = FinishedTrials(job.folder.trials)
        foresee = partial(foreseen_done, samples=staged, before=before, finished=finished)
        job, plan, enhancing = open_enhancing(
            job, plan, before=before, foreseen=partial(foresee, plan), others=others
        )
        foreseen = foresee(plan, job.axes)
        reusable = foreseen_others(others, plan, job.axes, staged, before=before, finished=finished)
        for spec in job.axes.models:
            models[spec] = _model(spec, job, plan, before=before, done=foreseen, opened=opened)
        cards = {spec: model.card for spec, model in models.items()}
        check_families(plan, cards)
        check_outputs(plan, cards)
        check_pictures(plan, job.axes, cards, library)
        manifest = build_manifest(
            plan, job.axes, cards, command=job.command, fit_on=job.fit_on, before=before,
            asked=finished.asked, enhancers=enhancing.entries,
        )  # fmt: skip
        expected, bases = recorded_bases(plan, job.axes, before), accepted_bases(manifest)
        done = confirmed_done(foreseen, plan, staged, finished, expected=expected, bases=bases)
        again = None
        if job.again is not None:
            again = choose_round(
                job.folder, plan, staged, bases=bases, finished=finished, number=job.again, today=today(),
            )  # fmt: skip
            plan, done = narrowed(plan, again), dict(again.done)
        plan = _of_shard(job, plan, before, manifest)
        return ReadyRun(
            job, plan, library, models, manifest, again=again,
            done=done,
            recorded={
                name: recorded_offers(before, name, card.identity) for name, card in cards.items()
            },
            changed=[*class_changes(before, plan), *tool_changes(before, manifest)], staged=staged, finished=finished,
            budget=budget, others=others, reusable=reusable, index=index, second=second,
            enhancing=enhancing,
        )  # fmt: skip
    except BaseException:
        discard(staged)
        close_models([*models.values(), *([] if second is None else [second.model])])
        raise


def _of_shard(job: Job, plan: Plan, before: Mapping[str, Any], manifest: dict[str, Any]) -> Plan:
    """The plan with the counts of the job's shard, if it has one, which is put into the manifest. Raises HarnessError."""
    plan = of_shard(plan, job.shard, before, job.folder)
    if job.shard is not None:
        manifest |= {"shard": str(job.shard), "shard_trials": plan.trials}
    return plan


def _model(
    spec: str,
    job: Job,
    plan: Plan,
    *,
    before: Mapping[str, Any],
    done: Mapping[str, int],
    opened: Callable[[str], Model],
) -> Model:
    """The model opened, or as it was recorded where nothing is left to ask of it."""
    cells = [cell for cell in plan.cells if cell.model == spec]
    card = recorded_card(before, spec)
    complete = card is not None and all(done[cell.id] == plan.counts[cell.id] for cell in cells)
    if card is None or not complete or job.check_models or job.again or _other_adapter(card, job):
        return opened(spec)
    needs = frozenset[Need]().union(*(plan.needs.get(cell.id, ()) for cell in cells))
    return RecordedModel(card, partial(opened, spec), needs=needs)


def _other_adapter(card: Card, job: Job) -> bool:
    """Whether a model is asked with another adapter than it was recorded with, with none now, or with none then."""
    from harness.models.transformers.adapter import content_in, content_of

    recorded = content_in(card.details)
    if (one := job.adapted.get(card.name)) is not None:
        return content_of(one.adapter, one.adapters, folds=one.folds) != recorded
    return bool(recorded) and MARK not in card.name  # adapters of a server are part of its name


def today() -> str:
    """The day, in UTC."""
    return datetime.now(UTC).date().isoformat()


def manifest_before(folder: RunFolder) -> dict[str, Any]:
    """The manifest that is there, or nothing. Raises HarnessError for one that is broken or of a later version: what
    it says of earlier commands would be lost."""
    if not folder.manifest.exists():
        return {}
    try:
        return read_manifest(folder)
    except HarnessError as error:
        hint = (
            "or delete manifest.json: replies are kept, and cells that the command does not name "
            "leave the tables"
        )
        raise HarnessError(
            error.message, hint=f"{error.hint}; {hint}" if error.hint else hint.removeprefix("or ")
        ) from None


def run_job(
    ready: ReadyRun,
    *,
    on_trial: Callable[[Tally], None] = lambda tally: None,
    on_note: Callable[[str], None] = lambda note: None,
    stop: Stop | None = None,
) -> Tally:
    """Ask every model in turn; each reply is kept as it arrives. Raises HarnessError, KeyboardInterrupt.

    `on_note` is told where a model is not held to what its channel wanted. `stop` ends it from another thread, and
    Stopped is raised.
    """
    tally = Tally(budget=ready.budget)
    for spec, model in ready.models.items():
        for note in model.card.notes:
            on_note(note)
        if not isinstance(model, Probing):  # what can be known before any model is asked
            with refusing():
                check(ready.plan, spec, model.card.offers, why=model.card.missing)
    if not ready.models:
        ready.begin()
    seconds = ready.job.limits.seconds
    end = None if seconds is None else time.monotonic() + seconds
    for spec in ready.job.axes.models:
        if ready.budget.ended:
            break
        try:
            complete(partial(_run_model, ready, spec, tally, on_trial, on_note, end=end), stop=stop)
        except OSError as error:
            raise HarnessError(f"{spec}: {error}") from error
        model = ready.models[spec]
        if isinstance(model, RecordedModel) and model.asked:
            on_note(
                f"{spec} was opened and asked again where a picture or a sample has changed since its trials were "
                "finished, or a reply is gone"
            )
    tally.enhanced = {} if ready.enhancing is None else ready.enhancing.counts
    write_details(ready.job.folder, {spec: model.card for spec, model in ready.models.items()})
    if ready.again is None:
        for sentence in keep_sources(ready.job.folder, tally.served):
            on_note(sentence)
    ready.budget.check(tally.trials, ready.plan.trials)
    return tally


async def _run_model(
    ready: ReadyRun,
    spec: str,
    tally: Tally,
    on_trial: Callable[[Tally], None],
    on_note: Callable[[str], None],
    *,
    end: float | None,
) -> None:
    model = ready.models[spec]
    tally.standing = lambda: model.standing if isinstance(model, Replicating) else ""
    left = None if end is None else max(0.0, end - time.monotonic())
    if ready.enhancing is not None:
        ready.enhancing.begin()
    try:
        async with asyncio.timeout(left) as limit:
            held, pictures = await _find_held(ready, spec, on_note)
            if ready.second is not None and isinstance(ready.second.model, Loading):
                await ready.second.model.load()
            async with counting_caches(model, spec, ready.job.folder, tally):
                await execute(
                    ready.plan,
                    ready.job.axes,
                    model=model,
                    name=spec,
                    library=ready.library,
                    journal=ready.anew or ready.begin(),
                    only=None if ready.again is None else ready.again.left,
                    tally=tally,
                    bases=accepted_bases(ready.manifest),
                    on_trial=on_trial,
                    limits=ready.job.limits,
                    held=held,
                    purse=Purse(spec, ready.job.axes.prices.get(spec), ready.budget),
                    take=ready.take,
                    second=ready.second,
                    shard=ready.job.shard,
                    pictures=pictures,
                )
    except TimeoutError:
        if not limit.expired():
            raise
        raise HarnessError(
            f"stopped: the time limit of {ready.job.limits.seconds:g} s is over; "
            f"{tally.trials} trials are done",
            hint=RESUME,
        ) from None
    finally:
        if ready.enhancing is not None:
            ready.enhancing.end()
            keep_counts(ready.job.folder)
        ready.closed.add(spec)
        await model.close()


async def _find_held(
    ready: ReadyRun, spec: str, on_note: Callable[[str], None]
) -> tuple[frozenset[Need], int | None]:
    """What the model can be held to, put into the manifest, and about how many samples it is asked at once (None: any
    number). Raises HarnessError where it can be held to too little."""
    model = ready.models[spec]
    said = model.card.notes
    left = [c for c in ready.plan.cells if c.model == spec and _is_left(ready, c)]
    if isinstance(model, Loading) and left:
        await model.load()
    held = await find_out(
        ready.plan, model, spec, done=ready.done, recorded=ready.recorded.get(spec, frozenset())
    )
    shared, axes = SharedPrompts(ready.plan.repeats), ready.job.axes
    samples, settings = ready.staged or ready.job.folder, axes.settings_of(spec)
    with refusing() if ready.journal is None else nullcontext():
        notes = check(ready.plan, spec, held, why=model.card.missing)
        notes += await check_detail(ready.plan, model, spec, done=ready.done)
        if ready.again is None:
            notes += await check_lengths(
                ready.plan, axes, ready.library, samples, model=model, cells=left, shared=shared
            )
        if isinstance(model, KeepsApart) and left:
            await model.prove_apart()
    if not runs_in_place(settings.model):
        asked = left if ready.again is None else []
        shared = await predict_sharing(model, ready.plan, axes, ready.library, samples, cells=asked)
    ready.begin()
    pictures, told = pictures_at_once(model, settings, shared)
    write_details(ready.job.folder, {spec: model.card}, shared={spec: shared.share})
    for note in (*(note for note in model.card.notes if note not in said), *notes, *told):
        on_note(note)
    return held, pictures


def _is_left(ready: ReadyRun, cell: Cell) -> bool:
    """Whether anything of a cell is left to ask, as far as finished trials tell."""
    return ready.plan.counts[cell.id] > ready.done.get(cell.id, 0)
