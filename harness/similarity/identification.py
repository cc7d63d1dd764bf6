"""One picture against many persons: closed-set ranks and open-set errors of a recogniser.

Persons are parted by chance: of the enrolled ones some pictures make up the gallery and the others are searched for;
the persons who are not enrolled are searched for as well, and should not be found. Terms and definitions follow ISO/IEC
19795-1 and NIST's tests of face recognition (rank 1 candidates above a threshold).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError, MediaError
from harness.core.sample import Sample
from harness.core.text import counted
from harness.media.decode import open_picture
from harness.similarity.recogniser import Pixels, Recogniser, of_length_one

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LIMITS = (0.1, 0.01)
"""False positive identification rates at which misses are told."""
DRAWS = 1000
LEAST_PERSONS = 2
MOST_COMPARED = 200_000
"""Comparisons asked of a recogniser without embeddings."""
BATCH = 64


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture and the person it shows."""

    id: str
    person: str
    read: Callable[[], Pixels]


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Scores of every probe with every enrolled person."""

    scores: Floats
    """(probes, enrolled); -infinity throughout where the probe's picture could not be used."""
    own: Ints
    """(probes,) place of the person among the enrolled; -1 for a person who is not."""
    persons: Ints
    """(probes,) number of the person, for resampling."""
    gallery: int
    """Pictures of the gallery."""
    unusable: tuple[str, ...] = ()
    """Pictures that could not be read or in which no face was found."""

    @property
    def enrolled(self) -> int:
        """Persons in the gallery."""
        return int(self.scores.shape[1])


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OpenSet:
    """Misses at one threshold."""

    limit: float
    fpir: float
    """Reached: searches for persons who are not enrolled that return anyone."""
    fnir: Rate
    """Searches for enrolled persons that do not return them at rank 1."""
    threshold: float


@dataclass(frozen=True, slots=True)
class Identification:
    """What a search found."""

    enrolled: int
    gallery: int
    mated: int
    """Searches for enrolled persons."""
    non_mated: int
    """Searches for others."""
    rank_one: Rate
    ranks: tuple[tuple[int, float], ...]
    """(rank, share of mated searches that return the person at it or before): the CMC."""
    open_set: tuple[OpenSet, ...]
    unusable: tuple[str, ...]


def photos_of(samples: Iterable[Sample]) -> list[Photo]:
    """The pictures of a task whose source names subjects; of a clip its first frame. Raises HarnessError where none is
    named."""
    found = []
    for sample in samples:
        if sample.cluster is None or not sample.medium.frames:
            continue
        picture = sample.medium.frames[0]
        found.append(
            Photo(sample.id, sample.cluster, lambda p=picture: np.asarray(open_picture(p)))  # type: ignore[misc]
        )
    if not found:
        raise HarnessError(
            "no picture names the person it shows",
            hint="choose a task whose source knows subjects, or name their column: --set source.subject=COLUMN",
            at_work=False,
        )
    return found


def search(
    photos: Sequence[Photo], recogniser: Recogniser, *, gallery: int, unknown: float, seed: int
) -> Search:
    """Part the persons, and score each probe with each enrolled person: the mean of their gallery embeddings, or, of a
    recogniser without any, the mean score with their pictures.

    `gallery` is the pictures of an enrolled person, `unknown` the share of the persons who are not enrolled. Raises
    HarnessError where there are too few persons or pictures.
    """
    by_person: dict[str, list[int]] = {}
    for place, photo in enumerate(photos):
        by_person.setdefault(photo.person, []).append(place)
    rng = np.random.default_rng(seed)
    names = sorted(by_person)
    order = [names[k] for k in rng.permutation(len(names))]
    fit = [name for name in order if len(by_person[name]) > gallery]
    outside = round(unknown * len(fit))
    strangers = [n for n in order if n not in set(fit)] if unknown else []
    strangers, known = [*strangers, *fit[:outside]], fit[outside:]
    if len(known) < LEAST_PERSONS:
        raise HarnessError(
            f"persons with more than {counted(gallery, 'picture')} who can be enrolled: {len(known)} (at least {LEAST_PERSONS} are "
            "needed)",
            hint="use a larger --limit or none, more pictures of each person, a smaller --gallery or a smaller --unknown",
            at_work=False,
        )
    enrolled: list[list[int]] = []
    probes: list[int] = []
    own: list[int] = []
    for number, name in enumerate(known):
        places = [by_person[name][k] for k in rng.permutation(len(by_person[name]))]
        enrolled.append(places[:gallery])
        probes += places[gallery:]
        own += [number] * (len(places) - gallery)
    for name in strangers:
        probes += by_person[name]
        own += [-1] * len(by_person[name])
    persons = {name: number for number, name in enumerate([*known, *strangers])}
    scores, unusable = _scores(photos, recogniser, enrolled, probes)
    return Search(
        scores, np.array(own, np.int64),
        np.array([persons[photos[p].person] for p in probes], np.int64), gallery * len(known),
        tuple(photos[place].id for place in sorted(unusable)),
    )  # fmt: skip


def _scores(
    photos: Sequence[Photo], recogniser: Recogniser, enrolled: Sequence[Sequence[int]], probes: Sequence[int]
) -> tuple[Floats, set[int]]:  # fmt: skip
    """(probes, enrolled), and the places of pictures that could not be used."""
    used = sorted({*probes, *(place for places in enrolled for place in places)})
    found: dict[int, NDArray[np.float32]] = {}
    unusable: set[int] = set()
    for start in range(0, len(used), BATCH):
        part = used[start : start + BATCH]
        pixels = _read(photos, part, unusable)
        vectors = _embedded(recogniser, pixels, unusable)
        if vectors is None:
            return _compared(photos, recogniser, enrolled, probes)
        found |= vectors
    width = len(next(iter(found.values()))) if found else 1
    templates = np.zeros((len(enrolled), width), np.float32)
    for number, places in enumerate(enrolled):
        usable = [found[place] for place in places if place in found]
        if usable:
            templates[number] = of_length_one(np.mean(usable, axis=0, keepdims=True))[0]
    scores = np.full((len(probes), len(enrolled)), -np.inf)
    for row, place in enumerate(probes):
        if place in found:
            scores[row] = templates.astype(np.float64) @ found[place].astype(np.float64)
    scores[:, ~templates.any(axis=1)] = -np.inf
    return scores, unusable


def _read(photos: Sequence[Photo], places: Sequence[int], unusable: set[int]) -> dict[int, Pixels]:
    found = {}
    for place in places:
        try:
            found[place] = photos[place].read()
        except MediaError:
            unusable.add(place)
    return found


def _embedded(
    recogniser: Recogniser, pixels: dict[int, Pixels], unusable: set[int]
) -> dict[int, NDArray[np.float32]] | None:
    """Place -> embedding, each picture alone where one of them holds no face; None where there are no embeddings."""
    places = list(pixels)
    try:
        vectors = recogniser.embed([pixels[place] for place in places])
        return None if vectors is None else dict(zip(places, vectors, strict=True))
    except MediaError:
        found = {}
        for place in places:
            try:
                alone = recogniser.embed([pixels[place]])
            except MediaError:
                unusable.add(place)
                continue
            if alone is not None:
                found[place] = alone[0]
        return found


def _compared(
    photos: Sequence[Photo], recogniser: Recogniser, enrolled: Sequence[Sequence[int]], probes: Sequence[int]
) -> tuple[Floats, set[int]]:  # fmt: skip
    """The same of a recogniser that gives scores alone."""
    gallery = [(number, place) for number, places in enumerate(enrolled) for place in places]
    if len(gallery) * len(probes) > MOST_COMPARED:
        raise HarnessError(
            f"{recogniser.name} gives no embeddings and would be asked {len(gallery) * len(probes):,} times, more than "
            f"{MOST_COMPARED:,}",
            hint="use fewer pictures: --limit N",
        )
    unusable: set[int] = set()
    kept = _read(photos, [place for _, place in gallery], unusable)
    scores = np.full((len(probes), len(enrolled)), -np.inf)
    usable = [(number, place) for number, place in gallery if place in kept]
    count = np.bincount([number for number, _ in usable], minlength=len(enrolled))
    for row, probe in enumerate(probes):
        shown = _read(photos, [probe], unusable)
        if shown:
            said = recogniser.similarity([shown[probe]] * len(usable), [kept[p] for _, p in usable])
            total = np.bincount([n for n, _ in usable], said, minlength=len(enrolled))
            scores[row] = np.where(count > 0, total / np.maximum(count, 1), -np.inf)
    return scores, unusable


def identify(found: Search, *, seed: int) -> Identification:
    """Ranks and errors of a search. An equal score of another person counts as a better one."""
    mated = found.own >= 0
    rank = ranks_of(found)
    top = found.scores.max(axis=1)
    weights = _weights(found.persons, seed=seed)
    hit = rank[mated] == 1
    return Identification(
        enrolled=found.enrolled,
        gallery=found.gallery,
        mated=int(mated.sum()),
        non_mated=int((~mated).sum()),
        rank_one=_rate(hit, found.persons[mated], weights),
        ranks=tuple(
            (k, float((rank[mated] <= k).mean())) for k in (1, 2, 3, 5, 10, 20, 50) if k <= found.enrolled
        ),
        open_set=tuple(
            _open(limit, top, hit, mated=mated, found=found, weights=weights)
            for limit in LIMITS
            if (~mated).any()
        ),
        unusable=found.unusable,
    )  # fmt: skip


def ranks_of(found: Search) -> Ints:
    """(probes,) the rank of the person among the enrolled, 1 for the first; 0 for those who are not enrolled. A probe that
    could not be used has the last rank."""
    mated = found.own >= 0
    place = np.where(mated, found.own, 0)
    own = np.take_along_axis(found.scores, place[:, None], axis=1)
    others = (found.scores >= own).sum(axis=1)  # with the person, and all of equal score
    return np.where(mated, others, 0).astype(np.int64)


def _open(
    limit: float, top: Floats, hit: NDArray[np.bool_], *, mated: NDArray[np.bool_], found: Search, weights: Floats
) -> OpenSet:  # fmt: skip
    """At the lowest threshold at which at most `limit` of the searches for others return anyone."""
    others = np.sort(top[~mated])[::-1]
    allowed = int(np.floor(limit * others.size + 1e-9))
    must_not = -np.inf if allowed >= others.size else others[allowed]
    threshold = float(np.nextafter(must_not, np.inf)) if np.isfinite(must_not) else -np.inf
    missed = ~(hit & (top[mated] >= threshold))
    return OpenSet(
        limit=limit,
        fpir=float(
            (np.isfinite(others) & (others >= threshold)).mean()
        ),  # an unusable picture returns no one
        fnir=_rate(missed, found.persons[mated], weights),
        threshold=threshold,
    )


def _weights(persons: Ints, *, seed: int) -> Floats:
    """(draws, persons): how often each person is drawn."""
    count = int(persons.max()) + 1
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)


def _rate(wrong: NDArray[np.bool_], persons: Ints, weights: Floats) -> Rate:
    """The share with its 95% interval over persons; where all or none is, what so few persons may hide."""
    value = float(wrong.mean())
    count = int(np.unique(persons).size)
    if value in (0.0, 1.0):
        hidden = 1 - 0.025 ** (1 / count)
        return Rate(value, 0.0, hidden) if value == 0 else Rate(value, 1 - hidden, 1.0)
    size = weights.shape[1]
    right = np.bincount(persons, wrong, minlength=size)
    every = np.bincount(persons, minlength=size).astype(np.float64)
    total = weights @ every
    drawn = (weights @ right)[total > 0] / total[total > 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Rate(value, float(low), float(high))
