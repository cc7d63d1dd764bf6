"""Figures of the cue page: forests of effects, and stated reliance by change of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import floor, isnan, log10

from markupsafe import Markup

from harness.analyses.words import visible
from harness.cues.causes import CueEffect, Faithfulness
from harness.cues.tables import shown
from harness.report.figures import svg

WIDTH, LEFT, RIGHT = 880, 280, 190
ROW, HEAD, FOOT = 26, 30, 30
SIDE, PAD = 380, 54
LEAST_REACH = 0.05
SMALL_P = 0.05


def forest(effects: Sequence[CueEffect]) -> Markup | None:
    """A panel for each outcome, with a dot and a whisker for each effect around a line at nothing. None without
    effects. Each panel has its own scale; a filled dot is an effect of p at most `SMALL_P` after adjustment."""
    by_outcome: dict[str, list[CueEffect]] = {}
    for effect in effects:
        by_outcome.setdefault(effect.outcome, []).append(effect)
    parts: list[Markup] = []
    top = 0
    for outcome, some in by_outcome.items():
        parts += _panel(outcome, some, top)
        top += HEAD + ROW * len(some) + FOOT
    title = "Paired changes with 95% intervals, by outcome"
    return svg(WIDTH, top, title, parts) if parts else None


def _panel(outcome: str, effects: Sequence[CueEffect], top: int) -> Iterator[Markup]:
    numbers = [v for e in effects for v in (e.change.value, e.change.low, e.change.high)]
    reach = round_up(max([LEAST_REACH, *(abs(v) for v in numbers if not isnan(v))]))
    bottom = top + HEAD + ROW * len(effects)

    def x(value: float) -> float:
        return round(LEFT + (value + reach) / (2 * reach) * (WIDTH - LEFT - RIGHT), 1)

    yield Markup('<text x="{0}" y="{1}" text-anchor="end" font-weight="600">{2}</text>').format(
        LEFT - 12, top + 20, visible(outcome)
    )
    for tick in (-reach, -reach / 2, 0.0, reach / 2, reach):
        kind = "grid" if tick else "base"
        yield Markup('<line class="{0}" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>').format(
            kind, x(tick), top + HEAD - 4, bottom
        )
        yield Markup('<text class="small" x="{0}" y="{1}" text-anchor="middle">{2}</text>').format(
            x(tick), bottom + 15, _tick(tick)
        )
    several = len({e.values for e in effects}) > 1
    for place, effect in enumerate(effects):
        yield from _row(effect, top + HEAD + ROW * (place + 0.5), x, several=several)


def _row(
    effect: CueEffect, y: float, x: Callable[[float], float], *, several: bool
) -> Iterator[Markup]:
    change = effect.change
    way = effect.values[0] if effect.is_region else " – ".join(effect.values)
    label = (
        f"{effect.cue} {way}" if several or not (effect.is_region or effect.is_edit) else effect.cue
    )
    yield Markup('<text x="{0}" y="{1}" text-anchor="end">{2}</text>').format(
        LEFT - 12, y + 4, visible(label)
    )
    if isnan(change.value):
        yield Markup('<text class="small" x="{0}" y="{1}">no pair</text>').format(
            WIDTH - RIGHT + 12, y + 4
        )
        return
    if not isnan(change.low):
        yield Markup('<line class="whisker" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(
            x(change.low), x(change.high), y
        )
    clear = effect.p_holm <= SMALL_P
    yield Markup('<circle class="{0}" cx="{1}" cy="{2}" r="{3}"/>').format(
        "dot" if clear else "hollow", x(change.value), y, 5 if clear else 4
    )
    yield Markup('<text class="small" x="{0}" y="{1}">{2}</text>').format(
        WIDTH - RIGHT + 12, y + 4, shown(change, signed=True)
    )


def round_up(value: float) -> float:
    """The least of 1, 2, 2.5, 4, 5, 8 and 10 times a power of ten that is not below a value above 0."""
    power = 10.0 ** floor(log10(value))
    return next(m * power for m in (1, 2, 2.5, 4, 5, 8, 10) if m * power >= value * (1 - 1e-9))


def _tick(value: float) -> str:
    """+.05, -1, 0: as many digits as it needs."""
    text = f"{abs(value):.4f}".rstrip("0").rstrip(".")
    sign = "-" if value < 0 else "+" if value > 0 else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def scatter(found: Faithfulness, moved: str) -> Markup:
    """Stated reliance across, how far the answer moved upwards; one dot a cue."""
    dots = [(c, x, y) for c, x, y in found.table if not (isnan(x) or isnan(y))]
    most_x = round_up(max([x for _, x, _ in dots] + [1e-9]))
    low = min([y for _, _, y in dots] + [0.0])
    high = max([y for _, _, y in dots] + [1e-9])
    low, high = (-round_up(-low) if low < 0 else 0.0), round_up(high)
    inner = SIDE - 2 * PAD

    def at(x: float, y: float) -> tuple[float, float]:
        return PAD + x / most_x * inner, SIDE - PAD - (y - low) / (high - low) * inner

    zero = at(0, 0)[1]
    parts = [
        Markup('<line class="base" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>').format(
            PAD, SIDE - PAD, zero
        ),
        Markup('<line class="base" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            PAD, PAD, SIDE - PAD
        ),
        Markup('<text class="small" x="{0}" y="{1}" text-anchor="middle">stated reliance</text>').format(
            SIDE / 2, SIDE - 14
        ),
        Markup('<text class="small" x="{0}" y="{1}">{2}</text>').format(6, PAD - 26, visible(moved)),
    ]  # fmt: skip
    for value in (0.0, most_x / 2, most_x):
        parts.append(
            Markup('<text class="small" x="{0:.1f}" y="{1}" text-anchor="middle">{2}</text>').format(
                at(value, 0)[0], SIDE - PAD + 18, _tick(value).lstrip("+")
            )
        )  # fmt: skip
    for value in sorted({low, 0.0, high}):
        parts.append(
            Markup('<text class="small" x="{0}" y="{1:.1f}" text-anchor="end">{2}</text>').format(
                PAD - 8, at(0, value)[1] + 4, _tick(value)
            )
        )
    places = {cue: at(x, y) for cue, x, y in dots}
    parts += _named(places)
    return svg(SIDE, SIDE, "Stated reliance against how far the answer moved, one dot a cue", parts)


def _named(places: Mapping[str, tuple[float, float]]) -> Iterator[Markup]:
    """Dots with their names, each moved down until it stands clear of those above it."""
    taken: list[tuple[float, float, float]] = []
    for cue, (cx, cy) in sorted(places.items(), key=lambda item: (item[1][1], item[0])):
        wide = 7.0 * len(cue)
        start = cx + 9 if cx + 9 + wide < SIDE else cx - 9 - wide
        y = cy - 6
        while any(abs(y - other) < 13 and start < right and left < start + wide
                  for left, right, other in taken):  # fmt: skip
            y += 2
        taken.append((start, start + wide, y))
        yield Markup('<circle class="dot" cx="{0:.1f}" cy="{1:.1f}" r="4.5"/>').format(cx, cy)
        yield Markup('<text class="small" x="{0:.1f}" y="{1:.1f}">{2}</text>').format(
            start, y, visible(cue)
        )
