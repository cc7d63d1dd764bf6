"""Wording of numbers, metrics and outcomes for readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.core.field import FieldSpec
from harness.core.kind import kind_of
from harness.core.outcome import Outcome
from harness.core.text import visible as visible  # noqa: PLC0414 (reports find it here)
from harness.metrics import main_metric, named
from harness.metrics.metric import base_name

OUTCOMES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        Outcome.ANSWERED: ("#0072b2", "#ffffff", "a value was read from the reply"),
        Outcome.REFUSED: ("#d55e00", "#000000", "the model declined to judge"),
        Outcome.UNPARSED: ("#e69f00", "#000000", "text, but no value of the right kind in it"),
        Outcome.OFF_LIST: ("#f0e442", "#000000", "a value that is not among those allowed"),
        Outcome.AMBIGUOUS: ("#56b4e9", "#000000", "several values, none marked as final"),
        Outcome.TRUNCATED: ("#cc79a7", "#000000", "cut off at the token limit before a value"),
        Outcome.EMPTY: ("#c9c9c9", "#000000", "nothing but white space"),
        Outcome.FAILED: ("#3a3a3a", "#ffffff", "no reply: picture unreadable or request failed"),
    }
)
"""Outcome -> fill, ink on it, meaning. Fills after Okabe & Ito (2008), told apart by colour-blind readers."""


def visible_all(value: Any) -> Any:
    """`value` (plain JSON) with :func:`visible` applied to every string and key in it."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible(str(key)): visible_all(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible_all(item) for item in value]
    return value


def metric_name(metric: str, spec: FieldSpec | None = None) -> str:
    """`uar` -> UAR, `recall[anger]` -> recall of anger; an unknown name stays as it is.

    `spec`: the field it scores, where that is known; a name means the same in all kinds of fields of this package.
    """
    found = named(metric, "" if spec is None else kind_of(spec).family_name)
    rest = metric.removesuffix("_answered").partition("[")[2]
    title = base_name(metric) if found is None else found.title
    return f"{title} of {rest[:-1]}" if rest.endswith("]") else title


def table_metrics(spec: FieldSpec) -> tuple[tuple[str, str], ...]:
    """(metric, heading) of each column: the main one first, equal ones in one column.

    WAR is accuracy and UF1 is macro-F1 for label fields (harness.metrics.label), so they are headed
    `Accuracy = WAR` and `macro-F1 = UF1` where both are shown.
    """
    first = main_metric(spec)
    columns: dict[str, list[str]] = {}
    for metric in dict.fromkeys([first, *spec.shown_metrics]):
        known = named(metric, kind_of(spec).family_name)
        columns.setdefault((known and known.same_as) or metric, []).append(metric)
    return tuple(
        (same[0], " = ".join(metric_name(m, spec) for m in sorted(same)))
        for same in columns.values()
    )


def number(value: float | None, digits: int = 3) -> str:
    """.812, -.05, 1.20; a dash where there is no value."""
    if value is None:
        return "–"
    text = f"{abs(value):.{digits}f}"
    sign = "-" if value < 0 and float(text) else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def interval(low: float | None, high: float | None) -> str:
    """[.77, .85]; empty where there is none."""
    return "" if low is None or high is None else f"[{number(low, 2)}, {number(high, 2)}]"


def signed_difference(found: Mapping[str, Any]) -> str:
    """+0.622 [.52, .73] (n 82), of a row with `value`, `low`, `high` and `n`."""
    start = f"{found['value']:+.3f}"
    if found["low"] is not None and found["low"] == found["high"]:
        return f"{start} (n {found['n']:,}; the same in every resample, which gives no interval)"
    ends = interval(found["low"], found["high"])
    return f"{start} {ends}{' ' if ends else ''}(n {found['n']:,})"


def percent(share: float | None) -> str:
    """98%, 99.6%: one decimal only where rounding would hide a miss or a hit."""
    if share is None:
        return "–"
    text = f"{share:.0%}"
    return (
        f"{share:.1%}"
        if (text, share) in {("100%", share), ("0%", share)} and 0 < share < 1
        else text
    )


_FALLBACKS = {
    "video-as-frames": "showed the frames of their video one by one",
    "not-heard": "did not send the sound: the model was not shown to hear",
    "contact-sheet": "showed their pictures as one numbered contact sheet",
    "system-in-user": "put the system turn before the user's words",
    "system-left-out": "left the system turn out",
}


def fallback_lines(state: Mapping[str, Any]) -> Iterator[str]:
    """One line for each cell of a task's summary and each rule by which trials were put in another form."""
    for entry in state.get("fallbacks", ()):
        condition = "" if entry["condition"] == "none" else f" {entry['condition']}"
        for rule, trials in entry["counts"].items():
            yield (
                f"{entry['model']} {entry['prompt']}{condition}: {count(trials)} trials "
                f"{_FALLBACKS.get(rule, 'were changed')} ({rule})"
            )


def count(value: int) -> str:
    """2310 -> 2,310."""
    return f"{value:,}"


def failure_words(failures: Mapping[str, int]) -> str:
    """` (2 no-prediction and 1 timeout)`: what went wrong where there was no reply; empty where nothing did."""
    told = listed([f"{count(number)} {kind}" for kind, number in failures.items()])
    return f" ({told})" if told else ""


def refusal_words(by: Mapping[str, int]) -> str:
    """` (2 by the model and 1 by the platform)`: who refused, where not only the model did; else empty."""
    if not by.get("platform"):
        return ""
    told = listed([f"{count(number)} by the {who}" for who, number in by.items() if number])
    return f" ({told})"


def limit_words(entry: Mapping[str, Any]) -> str:
    """That replies of an outcome's entry ended at the token limit, or hold reasoning alone; empty where few did."""
    said = []
    if found := entry.get("only_reasoning"):
        said.append(
            f"{count(found['replies'])} of {count(found['of'])} replies are empty and hold reasoning, which is never "
            "read as the answer: perhaps the server takes the answer for reasoning (another --thinking, or no "
            "reasoning parser)"
        )
    found = entry.get("at_limit")
    if not found:
        return "; ".join(said)
    ended = f"{count(found['replies'])} of {count(found['of'])} replies ended at the"
    # Where the limit is not known, as of predictions made elsewhere, no option of ours set it.
    known = found["tokens"]
    said.append(
        f"{ended} limit of {count(known)} tokens: --max-tokens raises it"
        if known
        else f"{ended} token limit"
    )
    return "; ".join(said)


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def truthless_words(missing: Mapping[str, int]) -> str:
    """`samples without a true value, which are not scored: 12 for emotion, 3 for valence`."""
    parts = ", ".join(f"{count(number)} for {name}" for name, number in missing.items())
    return f"samples without a true value, which are not scored: {parts}"
