"""What the caches of a server did during a run, by its own counters, beside what had been predicted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from harness.core.cell import Cell
from harness.core.model import ENCODER_TOKENS, CacheCounts, Model, Replicating, counts_of
from harness.models.counting import counter_for
from harness.models.settings import ModelSettings
from harness.prompting.library import Library
from harness.run.axes import Axes
from harness.run.folder import RunFolder
from harness.run.forecast import count_prompts
from harness.run.in_flight import pictures_that_fit
from harness.run.manifest import keep_fact, read_manifest
from harness.run.plan import Plan
from harness.run.shared_prompts import BLOCK, SharedPrompts
from harness.run.tally import Tally

COUNTS = "cache_counts"
"""The key of a model in the manifest that holds them, summed over the starts of the run."""
_SUMS = ("requests", "prompt_tokens", "cached_tokens", "pictures", "pictures_cached")


@asynccontextmanager
async def counting_caches(
    model: Model, name: str, folder: RunFolder, tally: Tally
) -> AsyncGenerator[None, None]:
    """Read the counters of a model's server before and after the block, and add the difference to the manifest.

    Nothing is written where it has none, or was started anew meanwhile. What other clients ask is counted too.
    """
    before, asked = await counts_of(model), tally.asked
    try:
        yield
    finally:
        after = None
        if before is not None and tally.asked > asked:
            with suppress(
                asyncio.CancelledError
            ):  # Ctrl-C came before; this is the last thing done
                after = await counts_of(model)
        if before is not None and after is not None:
            found = difference(before, after, requests=tally.asked - asked)
            if found is not None:
                earlier = read_manifest(folder)["models"][name].get(COUNTS)
                keep_fact(folder, name, COUNTS, _added(earlier, found))


def difference(before: CacheCounts, after: CacheCounts, *, requests: int) -> dict[str, Any] | None:
    """What was counted between the two, as plain JSON; None where the server began to count anew, or counted nothing."""
    found: dict[str, Any] = {"server": after.server, "requests": requests}
    counted = after.since(before)
    for name in _SUMS[1:]:
        found[name] = round(getattr(counted, name))
    lost = after.server != before.server or any(found[name] < 0 for name in _SUMS)
    return None if lost or not found["prompt_tokens"] else found


async def predict_sharing(
    model: Model,
    plan: Plan,
    axes: Axes,
    library: Library,
    samples: RunFolder,
    *,
    cells: Sequence[Cell],
) -> SharedPrompts:
    """What the prompts of a server's model share, by the processor of its checkpoint; nothing where there is none here,
    or only one cell is asked."""
    if len(cells) < 2:
        return SharedPrompts(plan.repeats)
    counter = await asyncio.to_thread(counter_for, axes.settings_of(cells[0].model))
    if counter is None:
        return SharedPrompts(plan.repeats)
    told = await counts_of(model)
    found = SharedPrompts(plan.repeats, BLOCK if told is None else told.block)
    one = cells[0].model
    await asyncio.to_thread(
        count_prompts, plan, axes, library, samples, cells=cells, counters={one: counter}, shared={one: found}
    )  # fmt: skip
    return found


def pictures_at_once(
    model: Model, settings: ModelSettings, shared: SharedPrompts
) -> tuple[int | None, list[str]]:
    """About how many samples a model is asked at once (None: any number), and a note where its server's cache of encoded
    pictures limits that. Each replica has a server of its own."""
    card, servers = model.card, model.replicas if isinstance(model, Replicating) else 1
    if settings.pictures_in_flight is not None:
        return servers * settings.pictures_in_flight, []
    cache = card.details.get(ENCODER_TOKENS, "")
    most = pictures_that_fit(cache, shared.picture_tokens)
    if most is None or servers * most >= card.window:
        return None, []
    return servers * most, [
        f"{card.name}: the pictures of at most {servers * most:,} samples are in flight, since a server keeps {int(cache):,} "
        f"picture tokens encoded and a sample has up to {shared.picture_tokens:,} (set pictures_in_flight to change that)"
    ]


def _added(before: Mapping[str, Any] | None, found: Mapping[str, Any]) -> dict[str, Any]:
    if before is None or before.get("server") != found["server"]:
        return dict(found)
    return {**found, **{name: before[name] + found[name] for name in _SUMS}}
