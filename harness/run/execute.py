"""The engine: send requests concurrently, write each reply to the journal on arrival, send nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from harness.answers.constraints import Wanted
from harness.answers.reasoning import part, spoken
from harness.core.cell import sample_of
from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Failure, Generation
from harness.core.model import Batching, Model, Submitting
from harness.core.protocol import Ask, Done, Reply, UsingTools, draws_of
from harness.core.request import Request, make_request
from harness.core.tool import Called
from harness.prompting.library import Library
from harness.protocols.steps import take_step
from harness.run.axes import Axes
from harness.run.blocks import CHUNK, in_blocks, next_block, take_chunk
from harness.run.budget import Budget, Purse, SpentOut
from harness.run.cell_setting import CellSetting, cell_settings
from harness.run.fallback import Fitter
from harness.run.in_flight import InFlight
from harness.run.journal import Journal, KeepsReplies
from harness.run.numbering import BLOCK, Shard
from harness.run.plan import Plan
from harness.run.prepare import Prepared, prepare
from harness.run.second_model import SecondModel, Side, second_side, side_for
from harness.run.stop import ErrorWatch, Limits
from harness.run.tally import Tally
from harness.run.toolboxes import TimedToolbox
from harness.run.unchanged import Unchanged
from harness.run.waves import Block, Seat

Take: TypeAlias = Callable[[Request], tuple[Generation, str] | None]


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a trial ended."""

    keys: list[str]
    failure: Failure | None
    done: Done | None = None
    last: bool = False
    """Whether the protocol's text is that of the last reply."""
    tool_seconds: float = 0.0
    """How long its tools worked."""

    @property
    def text(self) -> str | None:
        """The text to be read, where no reply holds it."""
        return None if self.done is None or self.done.votes or self.last else self.done.text

    @property
    def votes(self) -> tuple[int, ...]:
        """As in `Done`."""
        return () if self.done is None else self.done.votes

    @property
    def calls(self) -> tuple[Called, ...]:
        """As in `Done`."""
        return () if self.done is None else self.done.calls


async def execute(
    plan: Plan,
    axes: Axes,
    *,
    model: Model,
    name: str,
    library: Library,
    journal: KeepsReplies,
    tally: Tally,
    bases: Mapping[str, Sequence[str]],
    on_trial: Callable[[Tally], None] = lambda tally: None,
    limits: Limits | None = None,
    held: frozenset[Need] | None = None,
    purse: Purse | None = None,
    only: Collection[str] | None = None,
    take: Take = lambda request: None,
    second: SecondModel | None = None,
    shard: Shard | None = None,
    pictures: int | None = None,
) -> None:
    """Run every trial of one model; `held` is what it was found to be able to do (None: what its card says).

    `bases` are those of each cell by its id, the one that is written first (`harness.run.basis.accepted_bases`).

    Raises HarnessError where no request can succeed, too many fail, or nothing can be written.

    Trials run in the order of the plan, `card.window` and `card.queue` of them at a time. A model that computes in batches
    is asked in waves (`harness.run.waves`), but for one whose cost is limited: there each request waits for what the last
    has cost. Where the `purse` is empty, what is in flight is finished and nothing more is asked. Of a model that is asked
    one by one, `pictures` is the most samples that are in flight (None: no limit). `only` are the trials that are run, `shard` the part; None: all. `take` gives
    the reply of another run folder to a request, once it is in the journal, and the name of that folder.
    """
    watch = ErrorWatch(limits or Limits())
    engine = _Engine(
        model, cell_settings(plan, axes, model, name, held=held, bases=bases), journal, tally, on_trial, name=name,
        watch=watch, purse=purse or Purse(name, None, Budget()), take=take,
        fitter=Fitter(
            lambda: model.card, most=axes.max_images.get(name),
            video=None if held is None else "video" in held,
            audio=None if held is None else "audio" in held,
            system=axes.settings_of(name).system,
        ),
        second=None if second is None else second_side(second, axes), pictures=pictures,
    )  # fmt: skip
    if isinstance(journal, Journal):
        engine.unchanged = Unchanged(
            journal.stamps, plan, bases, together=engine.together, folder=journal.folder
        )
    for task_name, planned in plan.tasks.items():
        cells = [c for c in plan.cells if c.task == task_name and c.model == name]
        if cells:
            await engine.run(
                prepare(
                    planned, cells, plan, library,
                    only=only, shard=shard, unchanged=engine.unchanged,
                )
            )  # fmt: skip


class _Engine:
    def __init__(
        self,
        model: Model,
        settings: Mapping[str, CellSetting],
        journal: KeepsReplies,
        tally: Tally,
        on_trial: Callable[[Tally], None],
        *,
        name: str,
        watch: ErrorWatch,
        purse: Purse,
        fitter: Fitter,
        take: Take,
        second: Side | None = None,
        pictures: int | None = None,
    ) -> None:
        self._model = model
        self._pictures = pictures
        self._settings = settings
        self.together = isinstance(model, Batching) and not purse.limited
        """Whether requests are computed in batches."""
        self.unchanged: Unchanged | None = None
        self._journal = journal
        self._tally = tally
        self._on_trial = on_trial
        self._watch = watch
        self._purse = purse
        self._take = take
        self._own = Side(name, model, fitter, purse)
        self._second = second
        self._flying: dict[str, asyncio.Future[Generation]] = {}

    async def run(self, samples: Iterator[list[Prepared]]) -> None:
        """Put the trials, in blocks to a model that computes in batches."""
        try:
            await (self._in_blocks(samples) if self.together else self._one_by_one(samples))
            self._count_unchanged()
        except* HarnessError as errors:
            raise _first(errors) from None

    def _count_unchanged(self) -> None:
        if self.unchanged is not None and self.unchanged.count(self._tally):
            self._on_trial(self._tally)

    async def _in_blocks(self, samples: Iterator[list[Prepared]]) -> None:
        """Put the trials in blocks, preparing one ahead in a thread."""
        loop = asyncio.get_running_loop()
        model = self._model
        blocks = in_blocks(samples, least=model.together if isinstance(model, Submitting) else 0)
        free = asyncio.Semaphore(1 + max(1, self._model.card.window // BLOCK))
        async with asyncio.TaskGroup() as group:
            trials = await loop.run_in_executor(None, next_block, blocks)
            while trials and not self._purse.budget.ended:
                await free.acquire()
                coming = loop.run_in_executor(None, next_block, blocks)
                block = Block(group, len(trials), free.release)
                for seat, trial in zip(block.seats, trials, strict=True):
                    group.create_task(self._trial(trial, seat.leave, seat))
                trials = await coming

    async def _one_by_one(self, samples: Iterator[list[Prepared]]) -> None:
        """Put the trials, as many at a time as the model takes, preparing one chunk ahead in a thread where that is slow."""
        loop = asyncio.get_running_loop()
        card = self._model.card
        flying = InFlight(card.window + card.queue, pictures=self._pictures)
        async with asyncio.TaskGroup() as group:
            chunk = await loop.run_in_executor(None, take_chunk, samples, 1)
            while not chunk.ended:
                coming = None
                if not chunk.quick:
                    coming = loop.run_in_executor(None, take_chunk, samples, CHUNK)
                for trial in chunk.trials:
                    sample = sample_of(trial.trial)
                    await flying.enter(sample)
                    if self._purse.budget.ended:
                        break
                    group.create_task(self._trial(trial, partial(flying.leave, sample)))
                if not chunk.trials:
                    await asyncio.sleep(0)
                chunk = take_chunk(samples, CHUNK) if coming is None else await coming
                if self._purse.budget.ended:
                    break

    async def _trial(
        self, trial: Prepared, leave: Callable[[], None], seat: Seat | None = None
    ) -> None:
        """Follow a trial to its end; `leave` is called unless it ends in an error, which ends the run."""
        try:
            setting = self._settings[trial.cell.id]
            rules: dict[str, None] = {}
            ended = await self._converse(trial, setting, rules, seat)
            failure = ended.failure
            self._journal.add_trial(
                trial.trial, setting.bases[0], ended.keys, failure, also=setting.bases[1:],
                rules=tuple(rules), shown=trial.shown, text=ended.text, votes=ended.votes,
                calls=ended.calls, tool_seconds=ended.tool_seconds,
            )  # fmt: skip
            for rule in rules:
                self._tally.fallbacks[rule] = self._tally.fallbacks.get(rule, 0) + 1
            for rule in trial.read_as:
                self._tally.read_as[rule] = self._tally.read_as.get(rule, 0) + 1
            self._count_unchanged()
            if self.unchanged and failure is None and not rules and not trial.read_as:
                self.unchanged.note(trial.trial, trial.cell, trial.stamp)
            self._tally.trials += 1
            self._tally.cells[trial.cell.id] += 1
            if failure is not None:
                self._tally.cells_failed[trial.cell.id] += 1
                self._tally.failed += 1
                self._tally.first_failure = self._tally.first_failure or failure.detail
            self._on_trial(self._tally)
            self._watch.check()
        except SpentOut:
            pass  # the trial is pending as before; what it was told already is kept
        leave()

    async def _converse(
        self, trial: Prepared, setting: CellSetting, rules: dict[str, None], seat: Seat | None
    ) -> _Ended:
        """Follow the protocol to its end; the keys of its requests, and why it ended early if it did.

        The fallbacks that fired are added to `rules`.
        """
        keys: list[str] = []
        replies: list[str] = []
        if trial.failure is not None:
            self._watch.note(trial.failure)
            return _Ended(keys, trial.failure)
        protocol = setting.protocol
        timed = None if trial.toolbox is None else TimedToolbox(trial.toolbox)
        if timed is not None and isinstance(protocol, UsingTools):
            protocol = protocol.bound(timed)
        while True:
            if trial.toolbox is None:
                step = take_step(protocol, trial.render, replies)
            else:  # tools work on pictures
                step = await asyncio.to_thread(take_step, protocol, trial.render, replies)
            if isinstance(step, Done):
                rules.update(dict.fromkeys(step.rules))
                last = step.text == (replies[-1] if replies else None)
                return _Ended(keys, None, step, last, timed.seconds if timed else 0.0)
            generation = await self._put(step, trial, setting, rules, seat)
            if generation.key:
                keys.append(generation.key)
            if generation.failure is not None:
                return _Ended(keys, generation.failure)
            said = spoken(generation.text)
            replies.append(
                Reply(
                    said,
                    finish=generation.finish,
                    tokens=generation.usage.completion_tokens,
                    calls=generation.calls,
                    loop=generation.loop,
                    thoughts="" if said else part(generation).reasoning,
                )
            )

    async def _put(
        self,
        step: Ask,
        trial: Prepared,
        setting: CellSetting,
        rules: dict[str, None],
        seat: Seat | None,
    ) -> Generation:
        """The reply to one step, asked again in another form where the model said what it takes."""
        side = side_for(step, self._own, self._second)
        own = side is self._own
        wanted = setting.asking.of(step, trial.asks) if own else Wanted()
        draw = trial.repeat * draws_of(setting.protocol) + step.draw
        pixels = trial.cell.pixels
        gather = trial.toolbox is not None
        fitted = await side.fitter.fit(step.messages, pixels=pixels, gather=gather)
        while fitted.failure is None:
            request = make_request(
                fitted.messages,
                setting.sampling_of(draw, room=step.room),
                model=side.model.card.identity,
                repeat=draw,
                constraint=(wanted.constraint or setting.held(step)) if own else None,
                candidates=wanted.candidates,
                thinking=trial.cell.thinking if own else "",
                detail=trial.cell.detail if own else "",
                offer=step.offer,
                lent=step.lent,
                adapter=trial.adapter if own else "",
            )
            generation = await self._exchange(request, side, seat)
            told = fitted
            if generation.failure is not None:
                told = await side.fitter.fit(step.messages, pixels=pixels, gather=gather)
            if told.failure is None and told.messages == fitted.messages:
                rules.update(dict.fromkeys(fitted.rules))
                if generation.failure is not None:  # not where it is put in another form
                    self._watch.note(generation.failure)
                return generation
            fitted = told  # the refusal said how many pictures are taken
        return Generation.failed("", fitted.failure.kind, fitted.failure.detail)

    async def _exchange(self, request: Request, side: Side, seat: Seat | None) -> Generation:
        """The reply to a request: from the journal, another run folder, a twin in flight, or the model."""
        if (found := self._found(request, side)) is not None:
            _note(seat, request, side)
            return found
        twin = self._flying.get(request.key)
        if twin is not None:
            self._tally.reused += 1
            _note(seat, request, side)
            return await asyncio.shield(twin)
        flight = self._flying[request.key] = asyncio.get_running_loop().create_future()
        try:
            generation = await self._paid(request, side, seat)
            self._tally.asked += 1
            if generation.failure is None:
                self._watch.note(None)
                if not side.kept_as:
                    self._tally.note_source(side.name, generation)
                self._journal.add_reply(generation, request.messages, model=side.kept_as)
            flight.set_result(generation)
            return generation
        except BaseException as error:
            flight.set_exception(
                error if isinstance(error, Exception) else asyncio.CancelledError()
            )
            flight.exception()  # twins may be none: nothing is lost if nobody asks
            raise
        finally:
            del self._flying[request.key]

    def _found(self, request: Request, side: Side) -> Generation | None:
        """The reply that the journal or another run folder has, if one has."""
        held = self._journal.reply(request.key, request.messages)
        if held is not None:
            self._tally.reused += 1
            return held
        taken = self._take(request)
        if taken is None:
            return None
        self._tally.taken[taken[1]] += 1
        if not side.kept_as:
            self._tally.note_source(side.name, taken[0])
        return taken[0]

    async def _paid(self, request: Request, side: Side, seat: Seat | None) -> Generation:
        """The model's reply, once the budget bears it. Raises SpentOut where it does not."""
        await side.purse.begin()
        generation = None
        try:
            if seat is not None and isinstance(side.model, Batching):
                generation = part(await seat.ask(request, side.model))
            else:
                generation = part(await side.model.reply(request))
            return generation
        finally:
            await side.purse.paid(request, generation)


def _note(seat: Seat | None, request: Request, side: Side) -> None:
    """Keep the place of a request, which is answered already, in the wave of its trial."""
    if seat is not None and isinstance(side.model, Batching):
        seat.note(request, side.model)


def _first(group: BaseExceptionGroup[HarnessError]) -> HarnessError:
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an exception group is never empty")
