"""A fixed subset of samples: drawn once, balanced, and saved as a list with a digest.

harness data subset raf-db/emotion --n 500 --balance emotion,gender --out subset.yaml
harness run raf-db/emotion --set source.subset=subset.yaml ...
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.sample import Sample
from harness.core.source import Skipped, Source, source_notes, stated_labels
from harness.core.text import digest_json, read_small
from harness.sources.cells import is_blank, plain

NOT_IN_SUBSET = "not in the subset"
NO_VALUE = "no value to balance by"
_LARGEST = 64 << 20
_MOST_VALUES = 2_000_000

Stratum = tuple[str, ...]
"""One value of each column that a subset is balanced over."""


@dataclass(frozen=True, slots=True)
class Subset:
    """A frozen list of samples."""

    samples: tuple[str, ...]
    """Ids, in the order of the source."""
    counts: Mapping[Stratum, int]
    """How many of each stratum; one stratum without a value where nothing is balanced."""
    available: Mapping[Stratum, int]
    """How many there were."""
    left_out: int
    """Samples without a value in a column that the subset is balanced over."""


def draw_subset(
    samples: Iterable[Sample], n: int, *, balance: Sequence[str] = (), seed: int = 0
) -> Subset:
    """Choose `n` samples, of each combination of the values of `balance` as equally many as there are.

    `balance` names fields of the task or annotations. Within a combination the samples of least SHA-256(seed, id) are
    taken: a simple random choice that does not depend on the order of the data, and that a greater `n` only adds to.
    Raises HarnessError for a name that no sample has, and for fewer samples than `n`.
    """
    strata: dict[Stratum, list[tuple[bytes, int, str]]] = {}
    left_out, seen = 0, Counter[str]()
    for order, sample in enumerate(samples):
        values = [_value(sample, name) for name in balance]
        seen.update(name for name, value in zip(balance, values, strict=True) if value is not None)
        stratum = tuple(value for value in values if value is not None)
        if len(stratum) < len(balance):
            left_out += 1
            continue
        mark = hashlib.sha256(f"{seed}\x1f{sample.id}".encode("utf-8", "surrogatepass")).digest()
        strata.setdefault(stratum, []).append((mark, order, sample.id))
    unknown = [name for name in balance if not seen[name]]
    if unknown:
        raise HarnessError(
            f"--balance: no sample has a value for {unknown[0]!r}",
            hint="use fields of the task or annotations; `harness show TASK` prints them",
        )
    available = {stratum: len(members) for stratum, members in sorted(strata.items())}
    if sum(available.values()) < n:
        raise HarnessError(
            f"--n {n:,}: only {sum(available.values()):,} samples are available",
            hint="choose fewer, or balance over fewer columns",
        )
    counts = shares(available, n)
    chosen = [m for s, members in strata.items() for m in sorted(members)[: counts[s]]]
    chosen.sort(key=lambda member: member[1])
    return Subset(tuple(name for _, _, name in chosen), counts, available, left_out)


def shares(available: Mapping[Stratum, int], n: int) -> dict[Stratum, int]:
    """`n` shared out as equally as what there is allows; what does not divide goes to the first.

    No stratum that is not used up gets more than one sample less than another.
    """
    counts = dict.fromkeys(available, 0)
    left = n
    while left:
        open_strata = [stratum for stratum in available if counts[stratum] < available[stratum]]
        if not open_strata:
            break
        each = max(1, left // len(open_strata))
        for stratum in open_strata:
            more = min(each, available[stratum] - counts[stratum], left)
            counts[stratum] += more
            left -= more
    return counts


def subset_text(subset: Subset, *, task: str, data: str, balance: Sequence[str], seed: int) -> str:
    """The subset as a YAML file. `data` is the digest of the source it was drawn from."""
    strata = [
        {"values": list(stratum), "chosen": subset.counts[stratum], "of": of}
        for stratum, of in subset.available.items()
    ]
    head = {
        "task": task, "n": len(subset.samples), "balance": list(balance), "seed": seed,
        "data": data, "digest": digest_of(subset.samples), "strata": strata,
    }  # fmt: skip
    lines = ["# A frozen subset: take it with --set source.subset=FILE. Edited, it is refused."]
    lines += [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    lines.append("samples:")
    lines += [f"- {json.dumps(name)}" for name in subset.samples]
    return "\n".join(lines) + "\n"


def digest_of(samples: Iterable[str]) -> str:
    """Hex SHA-256 over the ids, whatever their order."""
    return digest_json(sorted(samples))


class SubsetSource:
    """The samples of a source that a frozen list names."""

    def __init__(self, source: Source, path: Path) -> None:
        self._source, self._path = source, path
        body = read_subset(path)
        self._samples = frozenset(body["samples"])
        self._digest: str = body["digest"]
        self._drawn_from = str(body.get("data", ""))
        self._left_out = 0
        self.published = ()
        """Nothing: published sizes are those of the whole set."""

    def __iter__(self) -> Iterator[Sample]:
        found = left_out = 0
        for sample in self._source:
            if sample.id in self._samples:
                found += 1
                yield sample
            else:
                left_out += 1
        if found < len(self._samples):
            known = {sample.id for sample in self._source}
            gone = sorted(self._samples - known)
            raise HarnessError(
                f"source.subset: {self._path.name} lists {len(gone):,} samples that the "
                f"source does not have, such as {gone[0]!r}",
                hint="it may belong to other data or other options; choose a new one: harness "
                "data subset",
            )
        self._left_out = left_out

    def digest(self) -> str:
        """Over the source's own digest and the list."""
        return digest_json({"source": self._source.digest(), "subset": self._digest})

    def skipped(self) -> tuple[Skipped, ...]:
        own = (Skipped(NOT_IN_SUBSET, self._left_out),) if self._left_out else ()
        return (*self._source.skipped(), *own)

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Those that the source states."""
        return stated_labels(self._source)

    def notes(self) -> tuple[str, ...]:
        """Which list it is, and whether the annotations have changed since it was drawn."""
        said = f"subset {self._path.name}, digest {self._digest[:12]}"
        if self._drawn_from and self._drawn_from != self._source.digest():
            said += "; the annotations or options have changed since it was drawn"
        return (*source_notes(self._source), said)


def with_subset(source: Source, written: Any, *, base: Path) -> Source:
    """The source narrowed to the list that `source.subset` names; itself where there is none. Raises HarnessError."""
    if written is None:
        return source
    if not isinstance(written, str):
        raise HarnessError(
            "source.subset: a file is required",
            hint="for example: --set source.subset=subset.yaml (see harness data subset)",
        )
    return SubsetSource(source, base / written)


def read_subset(path: Path) -> dict[str, Any]:
    """A file that `subset_text` wrote. Raises HarnessError: not there, not such a file, edited."""
    from harness.core.yaml_text import YamlFault, parse_yaml

    try:
        text = read_small(path, most=_LARGEST, what="a subset")
        body, _ = parse_yaml(text, most=_MOST_VALUES)
    except YamlFault as fault:
        raise _no_subset(path, f"line {fault.line}: {fault.problem}") from None
    except HarnessError as error:
        raise HarnessError(
            f"source.subset: {error.message}",
            hint=error.hint or "relative paths start at the current folder",
        ) from None
    samples = body.get("samples") if isinstance(body, dict) else None
    if not isinstance(samples, list) or not all(isinstance(name, str) for name in samples):
        raise _no_subset(path, "it has no list of samples")
    if body.get("digest") != digest_of(samples):
        raise HarnessError(
            f"source.subset: {path} was edited: its digest does not match its samples",
            hint="a subset must not be edited; draw a new one: harness data subset TASK --n N "
            "--out FILE",
        )
    return {str(key): value for key, value in body.items()}


def _no_subset(path: Path, why: str) -> HarnessError:
    return HarnessError(
        f"source.subset: {path} is not a subset: {why}",
        hint="create one: harness data subset TASK --n N --out FILE",
    )


def _value(sample: Sample, name: str) -> str | None:
    value: Any = sample.targets.get(name, sample.annotations.get(name))
    if name == "subject" and value is None:
        value = sample.cluster
    if isinstance(value, tuple):
        return ", ".join(value)
    return None if is_blank(value) else plain(value)
