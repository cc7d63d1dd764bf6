"""Rates: those that a person sets, and those that a server enforces, at scaled-down times."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from harness.core.errors import HarnessError
from harness.models.http.endpoint import parse_endpoint
from harness.models.http.http_errors import HttpFault, judge
from harness.models.http.model import OpenAIModel
from harness.models.http.rate_limit import Allowance, Rates
from harness.models.http.served import Served
from harness.models.http.server_messages import delay_in, delay_of, told_by
from harness.models.retry import Patience
from tests.models.stub import running_stub
from tests.models.test_openai import ask


@dataclass
class Bucket:
    """A server's limit: so many requests a second, and so many at once."""

    rate: float
    burst: float
    level: float = field(init=False)
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self) -> bool:
        now = time.monotonic()
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Halts:
    """The seconds in which this loop did not come to its turn, as on a busy machine."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            self._seconds += max(0.0, time.monotonic() - before - 0.0055)

    def ended(self) -> float:
        self._task.cancel()
        return self._seconds


@pytest.mark.parametrize(("rate", "burst", "told"), [(20.0, 5, 0.055), (10.0, 10, 0.85)])
async def test_a_servers_rate_is_waited_out_and_loses_nothing(
    rate: float, burst: int, told: float
) -> None:
    bucket = Bucket(rate, burst)

    def limit(body: object) -> str:
        return "ok" if bucket.take() else "429"

    with running_stub(choose=limit, retry_after=str(told)) as stub:
        endpoint = parse_endpoint(f"stub@{stub.url}", allow_remote=frozenset())
        model = OpenAIModel(endpoint, Served(), name="m", patience=Patience())
        start, halts = time.monotonic(), Halts()
        got = await asyncio.gather(*(model.reply(ask(f"n {i}")) for i in range(40)))
        took = time.monotonic() - start
        await model.close()
    assert all(one.failure is None for one in got)
    assert took - halts.ended() <= 1.1 * (40 - burst) / rate + told + 0.4


async def test_a_set_rate_is_kept_from_the_first_request_on() -> None:
    allowance = Allowance(Rates(requests=60 * 50))

    async def one() -> float:
        sent = await allowance.enter()
        allowance.leave()
        return sent

    times = sorted(await asyncio.gather(*(one() for _ in range(11))))
    assert times[-1] - times[0] >= 10 / 50 - 0.005


async def test_a_token_rate_is_kept_by_what_replies_took() -> None:
    rate = 10_000  # tokens a second, ten times as many at once
    allowance = Allowance(Rates(tokens=60 * rate))
    start = time.monotonic()
    for _ in range(6):
        await allowance.enter()
        allowance.leave()
        allowance.answered(20_000)
    assert time.monotonic() - start >= (6 * 20_000 - 10 * rate) / rate - 0.1


async def test_waiting_ends_where_no_reply_comes_for_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("harness.models.http.rate_limit.monotonic", lambda: now[0])
    allowance = Allowance(give_up_after=50, base=10)
    sent = await allowance.enter()
    allowance.leave()
    assert not allowance.refused(sent, told=3600)
    assert allowance.refused(sent, told=10)
    now[0] += 60
    assert not allowance.refused(sent, told=10)
    allowance.answered(0)
    assert allowance.refused(sent, told=10)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Rate limit reached for gpt-4o. Please try again in 2.2s.", 2.2),
        ("Please retry in 34.1s.", 34.1),
        ('{"details": [{"retryDelay": "34s"}]}', 34),
        ("Please try again in 1m12s.", 72),
        ("try again in 450ms", 0.45),
        ("Please try again in 20 seconds", 20),
        ("Please wait 3 minutes", 180),
        ("Retry after 12 seconds", 12),
        ('{"retry_after": 7.5}', 7.5),
        ("You exceeded your current quota, please check your plan", None),
        ("limit: 15", None),
        ("used in 3 requests", None),
    ],
)
def test_a_delay_is_read_from_the_words(said: str, seconds: float | None) -> None:
    assert delay_in(said) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2", "retry-after-ms": "2200"}, 2.2),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, 360),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "3"}, None),
        ({"x-ratelimit-reset-tokens": "200ms"}, 0.2),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-5"}, 0),
        ({"x-ratelimit-reset": "soon"}, None),
        ({}, None),
    ],
)
def test_a_delay_is_read_from_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert delay_of(headers) == (None if seconds is None else pytest.approx(seconds))


def test_an_empty_account_stops_at_once_unless_a_delay_is_named() -> None:
    quota = (
        b'{"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}'
    )
    with pytest.raises(HarnessError, match="current quota"):
        judge(429, told_by(quota), {}, place="here", succeeded=True)
    gemini = (
        b'[{"error": {"code": 429, "message": "You exceeded your current quota", '
        b'"details": [{"retryDelay": "34s"}]}}]'
    )
    fault = judge(429, told_by(gemini), {}, place="here", succeeded=False)
    assert isinstance(fault, HttpFault) and fault.limited and fault.told == 34
