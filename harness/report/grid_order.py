"""In which order the samples of a task are shown: those on which cells disagree most first."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.run.dictionary_encoding import DistinctValues, Texts, as_codes
from harness.run.digests import Digests, digest


class SampleOrder:
    """Counts the rows of each sample and what its answers say; some 60 bytes a sample and 8 a row."""

    def __init__(self) -> None:
        self._names, self._numbers = Texts(), Digests(0)
        self._rows, self._samples, self._said = array("i"), array("i"), array("i")
        """The sample of each row; the sample and the code of what is said, of each answer that is compared."""
        self._sayings = DistinctValues[tuple[str, str]]()

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._names)

    @property
    def rows(self) -> int:
        """How many rows they have."""
        return len(self._rows)

    def add(self, sample: str, field: str, said: str | None) -> None:
        """Count a row; `said` is compared with what others say of the field, unless it is None."""
        number = self._numbers.number(digest(sample))
        if number == len(self._names):
            self._names.append(sample)
        self._rows.append(number)
        if said is not None:
            self._samples.append(number)
            self._said.append(self._sayings.code((field, said)))

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Each sample with how many rows it has; of those on which cells disagree alike, in an order without meaning."""
        counts = np.bincount(as_codes(self._rows), minlength=len(self))
        names = b"".join(_digest(self._names.encoded(place)) for place in range(len(self)))
        tie = np.frombuffer(names, dtype=">u8")
        for place in np.lexsort((tie, -self._disagreement())).tolist():
            yield self._names[place], int(counts[place])

    def _disagreement(self) -> NDArray[np.float64]:
        """(n,) over the fields, the mean chance that two cells say something else."""
        names = DistinctValues[str]()
        fields = np.array([names.code(field) for field, _ in self._sayings.values], dtype=np.int64)
        many = max(1, len(names.values))
        pairs = as_codes(self._samples).astype(np.int64) * max(1, len(fields))
        pairs, times = np.unique(pairs + as_codes(self._said), return_counts=True)
        sample, said = np.divmod(pairs, max(1, len(fields)))
        places, place = np.unique(sample * many + fields[said], return_inverse=True)
        alike = np.bincount(place, times * times) / np.bincount(place, times) ** 2
        sums = np.bincount(places // many, 1 - alike, minlength=len(self))
        counts = np.bincount(places // many, minlength=len(self))
        return np.round(sums / np.maximum(counts, 1), 6)


def _digest(sample: bytes) -> bytes:
    return hashlib.sha256(sample).digest()[:8]
