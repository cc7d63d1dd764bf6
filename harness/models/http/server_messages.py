"""Interpret a server's error messages: waiting times and rejected parameters.

Servers have no common code for any of this, so words are read. What they say is untrusted: it is put on one line, made
short, and shown without control characters.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.answers.pattern import pattern
from harness.core.text import visible
from harness.models.http.json_body import read_json
from harness.models.http.request_body import PARAMETERS

BLOCKED = "content_filter"
"""The finish word of a request that a platform's filter did not let through, where it gives none of its own."""

_MOST = 500
_SEARCHED = 20_000
_CODES = frozenset(
    {"content_filter", "content_policy_violation", "contentpolicyviolation", "responsibleaipolicyviolation"}
    | {"data_inspection_failed", "datainspectionfailed", "moderation_blocked", "content_moderation", "1301"}
    | {"prohibited_content", "safety", "sensitive", "prompt_blocked", "content_blocked", "guardrail_intervened"}
    | {"invalid_prompt_safety", "image_content_policy_violation", "content_safety_violation"}
)  # fmt: skip
_POLICY = pattern(
    r"content[ _-]management polic|\bcontent[ _-](?:filter|polic|moderation|safety)|\bdata inspection"
    r"|\b(?:input|prompt|request|image|content|message|response|output)s? (?:was|were|is|are|has been|have been|got)"
    r" (?:flagged|blocked|filtered|moderated)|\bflagged (?:by|as|for)\b|\brequires moderation\b"
    r"|\bsafety (?:system|filter|setting|polic|guideline|reason|check)|\busage polic|\bresponsible ai\b"
    r"|\bprohibited content\b|\binappropriate (?:content|image)|\b(?:sensitive|unsafe|harmful) content\b"
    r"|\bviolat\w{1,4} (?:\w{1,12} ){0,3}(?:polic|guideline|terms)|\bmoderation (?:system|endpoint|polic)",
    re.IGNORECASE,
)
_UNPAID = pattern(
    r"insufficient[_ ](?:quota|credit|balance|fund)|billing[_ ](?:hard[_ ]limit|not[_ ]active)|out of credits?\b"
    r"|exceeded your current quota|credit balance is too low|quota[_ ]exhausted|account[_ ](?:is )?deactivated",
    re.IGNORECASE,
)
_SYSTEM = pattern(
    r"\bsystem[\s_'\"`]{0,3}(?:role|message|prompt|turn|instruction)s?\b|\brole[s]?\b[^.]{0,30}\bsystem\b"
    r"|developer instruction|roles must alternate|only user and assistant roles",
    re.IGNORECASE,
)
_STREAM = pattern(r"\bstream(?:ing)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """What an error body says."""

    message: str
    """On one line, without secrets and control characters, at most 500 characters."""
    code: str = ""
    """The server's code or type of the error."""
    status: int = 0
    """The HTTP status that the body itself names; 0 where it names none."""
    delay: float | None = None
    """Seconds after which the server says that another try may succeed."""
    whole: str = ""
    """All that was said, searched for words."""

    @property
    def blocked(self) -> bool:
        """Whether a filter refused this request for what it holds."""
        codes = {self.code.lower()} | {
            word.lower() for word in re.findall(r'"([\w-]{4,40})"', self.whole)
        }
        return bool(codes & _CODES or _POLICY.search(self.message))

    @property
    def unpaid(self) -> bool:
        """Whether it is the account that lacks money, which waiting does not bring."""
        return bool(_UNPAID.search(f"{self.code} {self.message}"))

    @property
    def no_system_turn(self) -> bool:
        """Whether a system turn is what is refused."""
        return bool(_SYSTEM.search(self.whole))

    @property
    def wants_stream(self) -> bool:
        """Whether streaming is spoken of."""
        return bool(_STREAM.search(self.whole))


def told_by(data: bytes, *, hide: Callable[[str], str] = lambda text: text) -> ServerMessage:
    """What the body of a refusal says, JSON or not."""
    try:
        body = read_json(data)
    except (ValueError, RecursionError):
        text = hide(data[:_SEARCHED].decode("utf-8", "replace"))
        bare = re.sub(
            r"<(?:script|style)\b.{0,5000}?</(?:script|style)>|<[^<>]{0,300}>",
            " ",
            text,
            flags=re.S | re.I,
        )
        return ServerMessage(line(bare if bare.strip() else text), whole=text, delay=delay_in(text))
    return read_told(body, hide=hide)


def read_told(body: object, *, hide: Callable[[str], str] = lambda text: text) -> ServerMessage:
    """What an error body says: its message, else its beginning."""
    if isinstance(body, list) and body:
        body = body[0]
    whole = hide(json.dumps(body, ensure_ascii=False)[:_SEARCHED])
    error: Any = body
    if isinstance(body, dict):
        error = body.get("error") or body
    if not isinstance(error, dict):
        said = error if isinstance(error, str) else whole
        return ServerMessage(line(hide(said)), whole=whole, delay=delay_in(whole))
    said = error.get("message") or error.get("detail") or error.get("msg") or whole
    said = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    more = error.get("metadata")
    raw = more.get("raw") if isinstance(more, dict) else None
    if isinstance(raw, str) and raw not in said:
        said = f"{said} ({raw})"
    codes = [error.get(name) for name in ("code", "status", "type")]
    code = next((c for c in codes if isinstance(c, str) and c and not c.isdecimal()), "")
    numbers = [
        int(c) for c in codes if isinstance(c, (int, str)) and re.fullmatch(r"[3-5]\d\d", str(c))
    ]
    return ServerMessage(
        line(hide(said)),
        line(hide(code))[:80],
        numbers[0] if numbers else 0,
        delay_in(whole),
        whole,
    )


def line(text: str, *, most: int = _MOST) -> str:
    """A server's words as they may be shown: one line, no control characters, not long."""
    return visible(" ".join(text[: 8 * most].split()))[:most]


def words(data: bytes) -> str:
    """What a server says in an error body: its message, else the start of the body."""
    return told_by(data).message


_SPAN = r"(?P<span>(?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)(?![a-z])\s*)+|\d+(?:\.\d+)?(?!\s*[%\w]))"
_IN_WORDS = pattern(
    rf"(?:(?:try|retry)(?: again)?|available|wait|resets?|reset again|retrying)(?: \w+){{0,3}}? (?:in|after|for|of)? ?{_SPAN}"
    rf"|\bwait(?: for)? {_SPAN.replace('span', 'wait')}",
    re.IGNORECASE,
)
_IN_BODY = pattern(
    r'"(?:retryDelay|retry_delay|retry_after|retryAfter|retry_after_seconds|retry-after)"\s*:\s*"?(?P<span>[0-9][0-9.]*\s*[a-z]*)',
    re.IGNORECASE,
)
_UNITS = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def span_seconds(text: str) -> float | None:
    """`2.2s`, `1m12s`, `450 ms`, `20 seconds`, `34` as seconds; None where it is no span of time."""
    total, found = 0.0, False
    for number, unit in re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text[:80].lower()):
        scale = _UNITS["ms"] if unit.startswith(("ms", "milli")) else _UNITS.get(unit[:1] or "s")
        if scale is None:
            return None
        total, found = total + float(number) * scale, True
    return total if found and math.isfinite(total) else None


def delay_in(text: str) -> float | None:
    """Seconds that a body asks to wait, by a field or in words; None where it asks for nothing."""
    spans = [m["span"] for m in _IN_BODY.finditer(text)]
    spans += [m["span"] or m["wait"] for m in _IN_WORDS.finditer(text)]
    return max((s for span in spans if (s := span_seconds(span)) is not None), default=None)


def delay_of(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that the headers of a refusal ask to wait; None where they ask for nothing.

    `Retry-After`, `retry-after-ms`, and of `x-ratelimit-reset-*` (and the likes) those whose limit is used up.
    """
    from harness.models.retry import retry_after

    found = [retry_after(headers.get("Retry-After"), now=now)]
    lower = {name.lower(): value for name, value in headers.items()}
    for name, value in lower.items():
        if name in {"retry-after-ms", "x-ms-retry-after-ms"}:
            found.append(
                span_seconds(f"{value}ms") if re.fullmatch(r"[\d.]+", value.strip()) else None
            )
        elif "ratelimit" in name and "reset" in name:
            left = lower.get(name.replace("reset", "remaining"))
            if left is None or left.strip() in {"0", "0.0"}:
                found.append(_reset(value.strip(), now=now))
    return max((delay for delay in found if delay is not None), default=None)


def _reset(value: str, *, now: datetime | None) -> float | None:
    """A moment (in seconds or milliseconds since 1970, or written out) or a span of time, as seconds from now."""
    moment = now or datetime.now(UTC)
    if re.fullmatch(r"\d{10,13}(?:\.\d+)?", value):
        since = float(value) / (1000.0 if len(value.partition(".")[0]) > 10 else 1.0)
        return max(0.0, since - moment.timestamp())
    if re.match(r"\d{4}-\d\d-\d\dT", value):
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - moment).total_seconds())
    return span_seconds(value) if re.fullmatch(r"(?:\d+(?:\.\d+)?[a-z]*)+", value) else None


def refused_parameter(data: bytes | str) -> str | None:
    """The parameter of ours that an error body says the server does not know or take, if it says so.

    A name of ours is looked for beside a word of refusal.
    """
    text = data if isinstance(data, str) else data[:4000].decode("utf-8", "replace")
    said = text[:4000].lower()
    for refusal in _REFUSALS:
        if found := refusal.search(said):
            return found.group("name")
    return None


_NAME = rf"\b(?P<name>{'|'.join(PARAMETERS)})\b"
_REFUSALS = (
    pattern(
        rf"\b(?:unknown|unrecogni[sz]ed|unsupported|unexpected|extra|invalid argument|not supported)\b[^.]{{0,60}}?{_NAME}"
    ),
    pattern(
        rf"{_NAME}[^.]{{0,60}}?\b(?:not supported|not permitted|not allowed|does not support|unsupported"
        r"|unknown|extra_forbidden|extra inputs|immutable|is deprecated|may only be set)\b"
    ),
    pattern(rf"\bextra_forbidden\b.{{0,60}}?{_NAME}"),
)
