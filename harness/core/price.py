"""Prices of a model's tokens and pictures."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from harness.core.errors import HarnessError

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

USD = "USD"
MILLION = 1_000_000
FORM = "INPUT/OUTPUT, the price of a million tokens each, as in 2.50/10 or 2.50/10EUR"
_WRITTEN = re.compile(
    r"(?P<input>[0-9.]+)/(?P<output>[0-9.]+)(?:/(?P<reasoning>[0-9.]+))?\s*(?P<currency>[A-Za-z]{3})?", re.ASCII
)  # fmt: skip
_MONEY = re.compile(r"(?P<amount>[0-9]+(?:\.[0-9]+)?)\s*(?P<currency>[A-Za-z]{3})?", re.ASCII)


class Price(BaseModel):
    """Prices of one model. Nothing of it determines a reply, so it is no part of an identity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    input: Amount
    """Of a million prompt tokens, pictures as tokens included."""
    output: Amount
    """Of a million reply tokens."""
    reasoning: Amount | None = None
    """Of a million reasoning tokens, which count to the reply; None: that of the output."""
    picture: Amount | None = None
    """Of one picture, where it is paid apart from its tokens."""
    currency: Currency = USD
    """Three capital letters (ISO 4217)."""

    @property
    def halved(self) -> Price:
        """Half of each price: what batch APIs take."""
        amounts = {
            name: amount / 2 for name in ("input", "output", "reasoning", "picture")
            if (amount := getattr(self, name)) is not None
        }  # fmt: skip
        return self.model_copy(update=amounts)

    def of(self, *, prompt: int, completion: int, reasoning: int = 0, pictures: int = 0) -> float:
        """The price of so many tokens and pictures; `reasoning` tokens are among those of the completion."""
        thought = min(reasoning, completion)
        deeper = self.output if self.reasoning is None else self.reasoning
        tokens = prompt * self.input + (completion - thought) * self.output + thought * deeper
        return tokens / MILLION + pictures * (self.picture or 0.0)


def read_price(written: str) -> Price:
    """`INPUT/OUTPUT` or `INPUT/OUTPUT/REASONING`, with a currency behind it where that is not USD.

    Raises HarnessError for anything else.
    """
    found = _WRITTEN.fullmatch(written.strip())
    try:
        if found is None:
            raise ValueError
        numbers = {n: float(v) for n in ("input", "output", "reasoning") if (v := found[n])}
        return Price.model_validate({**numbers, "currency": (found["currency"] or USD).upper()})
    except (ValueError, ValidationError):
        raise HarnessError(f"--price {written!r} is not a price", hint=f"write {FORM}") from None


def read_money(written: str) -> tuple[float, str]:
    """An amount above 0, and its currency, which is empty where none is named. Raises HarnessError."""
    found = _MONEY.fullmatch(written.strip())
    if found is None or not float(found["amount"]):
        raise HarnessError(
            f"--max-cost {written!r} is not an amount above 0",
            hint="write --max-cost 5, or --max-cost 5EUR with the currency of the prices",
        )
    return float(found["amount"]), (found["currency"] or "").upper()


def money(amount: float, currency: str) -> str:
    """`3.20 USD`, `.0042 USD` as 0.0042 USD: at least two figures that say something."""
    digits = 2 if amount >= 0.1 or not amount else 4 if amount >= 0.001 else 6
    return f"{amount:,.{digits}f} {currency}"
