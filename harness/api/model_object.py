"""Model objects of users: a card and an async `reply`, evaluated like other models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.core.constraint import Need
from harness.core.errors import HarnessError
from harness.core.generation import Generation
from harness.core.model import Batching, Card, Model, Probing
from harness.core.prompt_family import PromptFamily
from harness.core.request import Request
from harness.models import BASELINES, ModelSettings
from harness.run.yaml_file import validated

Opener: TypeAlias = Callable[[str], Model]
"""What opens a model by its name. An attribute `families` says which prompts the model takes; without it, chat prompts."""

_HINT = (
    "give a name such as 'affect-tiny', harness.ModelSettings or the same as a dict, or an object of harness.core.model.Model: a `card` (harness.core.model.Card "
    "with name and identity), `async def reply(request)` that gives a harness.core.generation.Generation, "
    "`async def close()`"
)


class Borrowed:
    """A model that belongs to the person who gave it: it is not closed, and what it does wrong is told by its name."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def card(self) -> Card:
        return self._model.card

    async def reply(self, request: Request) -> Generation:
        """The model's reply. Raises HarnessError where it raises, or gives something else."""
        name = self._model.card.name
        try:
            found: object = await self._model.reply(request)
        except HarnessError:
            raise
        except Exception as error:
            raise HarnessError(
                f"the model {name} raised {type(error).__name__}: {error}",
                hint="return Generation.failed(request.key, kind, detail) for a request that "
                "the model cannot answer",
            ) from error
        if not isinstance(found, Generation) or found.key != request.key:
            raise HarnessError(
                f"the model {name} returned {_said(found)}",
                hint="return Generation(key=request.key, text=..., finish='stop')",
            )
        return found

    async def close(self) -> None:
        """Nothing: who made the model closes it."""


class BorrowedProbing(Borrowed):
    """One that must be tried before it is known what it can do."""

    def __init__(self, model: Model, probing: Probing) -> None:
        super().__init__(model)
        self._probing = probing

    async def probe(self, needs: frozenset[Need]) -> None:
        """As the model does."""
        await self._probing.probe(needs)


class BorrowedBatching(Borrowed):
    """One that computes several requests at once."""

    def __init__(self, model: Model, batching: Batching) -> None:
        super().__init__(model)
        self._batching = batching

    async def replies(
        self, requests: Sequence[Request], *, wanted: Collection[str]
    ) -> AsyncGenerator[Generation, None]:
        """As the model does. Raises HarnessError where it gives what was not wanted."""
        async with aclosing(self._batching.replies(requests, wanted=wanted)) as given:
            async for found in given:
                if not isinstance(found, Generation) or found.key not in wanted:
                    raise HarnessError(
                        f"the model {self._model.card.name} returned {_said(found)}",
                        hint="give one Generation for each wanted key",
                    )
                yield found


class BorrowedBoth(BorrowedProbing, BorrowedBatching):
    """One that does, and must be tried."""

    def __init__(self, model: Model, probing: Probing, batching: Batching) -> None:
        BorrowedBatching.__init__(self, model, batching)
        self._probing = probing


def _borrowed(model: Any) -> Borrowed:
    probing, batching = isinstance(model, Probing), isinstance(model, Batching)
    if probing and batching:
        return BorrowedBoth(model, model, model)
    if batching:
        return BorrowedBatching(model, model)
    return BorrowedProbing(model, model) if probing else Borrowed(model)


def _said(found: object) -> str:
    if isinstance(found, Generation):
        return "a Generation whose key is not the request's key"
    return f"{type(found).__name__} instead of a Generation"


@dataclass(frozen=True, slots=True)
class Lent:
    """Opens a borrowed model."""

    model: Model
    families: tuple[PromptFamily, ...]
    """The prompt families that it takes, known without opening it."""

    def __call__(self, name: str) -> Model:
        """The model."""
        return self.model


@dataclass(frozen=True, slots=True)
class Given:
    """Models as a person gave them in Python."""

    names: tuple[str, ...]
    """Of all, in the order given."""
    opening: Mapping[str, Opener]
    """Name -> what opens those that are objects."""
    settings: Mapping[str, ModelSettings]
    """Name -> settings of those that are described."""


def split_models(given: Sequence[object]) -> Given:
    """Names, objects and settings apart.

    Raises HarnessError for what is neither a name nor a model, a card that says too little, settings that do not
    hold, and a name that appears twice.
    """
    names: list[str] = []
    opening: dict[str, Opener] = {}
    settings: dict[str, ModelSettings] = {}
    for one in map(_described, given):
        plain = isinstance(one, str)
        name = one if isinstance(one, str) else _name(one)
        if name in opening or name in settings or (name in names and not plain):
            raise HarnessError(
                f"two models are called {name!r}", hint="give each a name of its own"
            )
        names.append(name)
        if isinstance(one, ModelSettings):
            settings[name] = one
        elif not plain:
            opening[name] = _opener(one)
    return Given(tuple(names), opening, settings)


def _described(one: object) -> object:
    """Settings written as a dict; anything else as it is."""
    if not isinstance(one, Mapping):
        return one
    return validated(ModelSettings, dict(one), lambda keys: "model", "settings")


def _name(one: object) -> str:
    if not isinstance(one, ModelSettings):
        return _card(one).name
    if one.called in BASELINES:
        raise HarnessError(f"{one.called!r} is the name of a baseline", hint="choose another name")
    return one.called


def _opener(model: Any) -> Opener:
    borrowed = _borrowed(model)
    return Lent(borrowed, borrowed.card.families)


def _card(model: object) -> Card:
    """The card of an object. Raises HarnessError where it is no model."""
    if not isinstance(model, Model):
        missing = [name for name in ("card", "reply", "close") if not hasattr(model, name)]
        lacks = f": missing {' and '.join(missing)}" if missing else ""
        raise HarnessError(f"{type(model).__name__} is not a model{lacks}", hint=_HINT)
    card: object = model.card
    if not isinstance(card, Card):
        raise HarnessError(
            f"the card of {type(model).__name__} must be a Card, not {type(card).__name__}",
            hint=_HINT,
        )
    for name in ("name", "identity"):
        if not isinstance(getattr(card, name), str) or not getattr(card, name).strip():
            raise HarnessError(
                f"the card of {type(model).__name__} has no {name}",
                hint="name: shown in tables. identity: everything that determines replies, "
                "such as name, version and a digest of the weights; replies are reused "
                "as long as it is equal",
            )
    if card.name in BASELINES:
        raise HarnessError(f"{card.name!r} is the name of a baseline", hint="choose another name")
    return card
