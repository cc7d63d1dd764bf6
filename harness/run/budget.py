"""The costs of a run, and their limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.message import Image
from harness.core.price import Price, money
from harness.core.request import Request
from harness.run.again import used_anew
from harness.run.folder import RunFolder
from harness.run.usage import price_of, read_usage, usage_rows
from harness.run.usage import priced as priced_at


class SpentOut(Exception):
    """A request was not put, since the budget would not bear it."""


@dataclass(slots=True)
class Budget:
    """Money spent on the replies that a folder holds, but for those taken from other folders, which were paid there.
    All priced models of a run share it."""

    limit: float | None = None
    """None: no limit."""
    currency: str = ""
    spent: float = 0.0
    """Replies of earlier commands included."""
    silent: str = ""
    """The model of which a reply came without token counts, so that the budget cannot be kept."""
    ended: bool = False
    """Whether nothing more is asked."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """Model -> what a reply in the folder has cost, on average."""

    def check(self, done: int, total: int) -> None:
        """Raise HarnessError where the run ended since the budget is used up, or cannot be kept."""
        if not self.ended or self.limit is None:
            return
        told = f"{done:,} of {total:,} trials are done"
        if self.silent:
            raise HarnessError(
                f"stopped: {self.silent} reports no token counts, so --max-cost cannot be enforced; {told}",
                hint="leave --max-cost out (costs are then not known), or use a server that reports token counts",
                at_work=True,
            )
        raise HarnessError(
            f"stopped: {money(self.spent, self.currency)} of the budget of {money(self.limit, self.currency)} are "
            f"spent, and the next request may exceed it; {told}",
            hint="run the same command with a larger --max-cost to continue; `harness score` shows the results so far",
            at_work=True,
        )


@dataclass(slots=True)
class Purse:
    """Pays for the requests to one model. For one event loop."""

    model: str
    price: Price | None
    budget: Budget
    _flying: int = 0
    _dearest: float | None = None
    """The most that a reply has cost, at first the mean of earlier ones; None while none is known. The first is then
    waited for alone."""
    _turn: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._dearest = self.budget.usual.get(self.model)

    @property
    def limited(self) -> bool:
        """Whether a request may have to wait for what others cost."""
        return self.price is not None and self.budget.limit is not None

    async def begin(self) -> None:
        """Wait until a request may be put: what is in flight and this one must not go over the limit, if each costs
        as much as the dearest so far. Raises SpentOut where that cannot be."""
        if not self.limited:
            return
        async with self._turn:
            while not self._affordable():
                if self.budget.ended or not self._flying:
                    self._end()
                    raise SpentOut
                await self._turn.wait()
            self._flying += 1

    def _affordable(self) -> bool:
        budget = self.budget
        if budget.ended or budget.limit is None:
            return False
        if self._dearest is None:
            return not self._flying and budget.spent < budget.limit
        return budget.spent + self._dearest * (self._flying + 1) <= budget.limit

    def _end(self) -> None:
        self.budget.ended = True
        self._turn.notify_all()

    async def paid(self, request: Request, generation: Generation | None) -> None:
        """Take note of how a request that was begun ended; None where it did not."""
        if self.price is None:
            return
        cost = None if generation is None else cost_of(request, generation, self.price)
        if cost is not None:
            self.budget.spent += cost
        if self.budget.limit is None:
            return
        async with self._turn:
            self._flying -= 1
            if cost is not None:
                self._dearest = max(self._dearest or 0.0, cost)
            if generation is not None and _silent(generation):
                self.budget.silent = self.model
                self._end()
            self._turn.notify_all()


def cost_of(request: Request, generation: Generation, price: Price) -> float | None:
    """What a reply cost; None for a failed request, of which nothing is known."""
    if generation.failure is not None:
        return None
    usage = generation.usage
    return price.of(
        prompt=usage.prompt_tokens,
        completion=usage.completion_tokens,
        reasoning=usage.reasoning_tokens,
        pictures=sum(isinstance(part, Image) for m in request.messages for part in m.parts),
    )


def _silent(generation: Generation) -> bool:
    """Whether a reply came without token counts, which what a platform refused may."""
    return (
        generation.failure is None
        and generation.refusal is None
        and not generation.usage.prompt_tokens
    )


def open_budget(
    folder: RunFolder,
    before: Mapping[str, Any],
    prices: Mapping[str, Price],
    *,
    models: Sequence[str],
    most: tuple[float, str] | None,
    free: Sequence[str],
) -> Budget:
    """The budget of a command, with what the replies in its folder have cost by the prices of now.

    `before` is the folder's manifest; `most` the limit and its currency, as they were given; `free` are models that
    run on this machine, which cost nothing where they have no price. Raises HarnessError where a limit cannot be
    kept: a model without a price, several currencies, a reply in the folder without token counts.
    """
    currencies = sorted({price.currency for model, price in prices.items() if model in models})
    if most is None:
        currency = currencies[0] if len(currencies) == 1 else ""
        rows = _rows(folder, before, prices, currency)
        return Budget(currency=currency, spent=_sum(rows))
    limit, currency = most
    unpriced = [name for name in models if name not in prices and name not in free]
    if unpriced or not currencies:
        raise HarnessError(
            f"--max-cost needs the price of {', '.join(unpriced or models) or 'a model'}",
            hint="use --price INPUT/OUTPUT (per million tokens, such as --price 2.50/10), or set `price` of the model in "
            "harness.toml",
        )
    if len(currencies) > 1 or (currency and [currency] != currencies):
        raise HarnessError(
            f"--max-cost is in {currency or 'one currency'}, and the prices are in {', '.join(currencies)}",
            hint="use one currency for all prices and the budget",
        )
    rows = _rows(folder, before, prices, currencies[0])
    uncounted = sum(row["uncounted"] for row in rows)
    if uncounted:
        raise HarnessError(
            f"{uncounted:,} replies in {folder.path} have no token counts, so their cost is not known and "
            "--max-cost cannot be enforced",
            hint="leave --max-cost out, or use another folder (--out)",
        )
    usual = {
        model: _sum(mine) / count
        for model in models
        if (mine := [row for row in rows if row["model"] == model])
        and (count := sum(row["replies"] for row in mine))
    }
    return Budget(limit, currencies[0], _sum(rows), usual=usual)


def _sum(rows: Sequence[Mapping[str, Any]]) -> float:
    return sum((float(row["cost"]) for row in rows), 0.0)


def _rows(
    folder: RunFolder, before: Mapping[str, Any], prices: Mapping[str, Price], currency: str
) -> list[dict[str, Any]]:
    """The usage of replies in the folder that have a price in a currency: that of now, else the one recorded."""
    if not before or not currency:
        return []
    known = {name: prices.get(name) or price_of(before, name) for name in before["models"]}
    priced = {
        name: {**entry, "price": None if known[name] is None else known[name].model_dump()}  # type: ignore[union-attr]
        for name, entry in before["models"].items()
    }
    manifest = {**before, "models": priced}
    rows = [
        *usage_rows(manifest, read_usage(folder, manifest, taken=False)),
        *_anew(folder, manifest),
    ]
    return [row for row in rows if row.get("currency") == currency]


def _anew(folder: RunFolder, manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The usage of finished trials that were asked anew."""
    models = {entry["id"]: entry["model"] for entry in manifest["cells"]}
    for (_, cell), used in used_anew(folder).items():
        if cell in models:
            yield {
                "model": models[cell],
                **used.row(),
                **priced_at(used, price_of(manifest, models[cell])),
            }
