"""One request to an endpoint that enhances pictures, tried again where waiting may help.

A PNG file is posted. The reply is a picture, or with `form = "json"` a JSON object with the picture in base64 under
`image`. A version of the model may come with it: in the header `X-Enhancer-Version`, or in JSON under `version`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from harness.core.enhancer import EnhancerError
from harness.core.errors import HarnessError, MediaError
from harness.core.generation import Failure
from harness.core.text import visible
from harness.enhancers.settings import FIELD, SILENT, EnhancerSettings
from harness.media.decode import decode
from harness.media.transforms import encode_png
from harness.models.http.connection import Http, HttpResponse, TooLarge, Unreadable, trust_hint
from harness.models.http.endpoint import find_key, refuse_remote
from harness.models.http.http_errors import Blocked, HttpFault, judge
from harness.models.http.json_body import read_json
from harness.models.http.key_mask import Mask
from harness.models.http.server_messages import told_by
from harness.models.retry import Patience

if TYPE_CHECKING:
    from PIL import Image

VERSION = "X-Enhancer-Version"
"""The header of a reply that says which version of the model enhanced the picture."""
_MOST_VERSION = 80
_PREFIX = "data:"


@dataclass(frozen=True, slots=True)
class Answer:
    """An enhanced picture."""

    png: bytes
    """Of the size of the picture that was sent."""
    came: tuple[int, int]
    """Width and height of the picture as the endpoint gave it."""
    scaled: bool
    """Whether it came in another size and was scaled to that of the picture that was sent (Lanczos)."""
    version: str = ""
    """What the endpoint says; empty where it says nothing."""


class Client:
    """Asks one endpoint."""

    def __init__(
        self,
        name: str,
        settings: EnhancerSettings,
        *,
        allow_remote: frozenset[str] = frozenset(),
        patience: Patience | None = None,
    ) -> None:
        """`patience` says how long is waited between tries. Raises HarnessError for a host that was not allowed, and for a
        key that is not set."""
        if not settings.loopback:
            refuse_remote(settings.host, allow_remote)
        self.name = name
        self.settings = settings
        key = find_key(None, variable=settings.key_env) if settings.key_env else ""
        self._mask = Mask([key] if key else [])
        self._headers = {"Content-Type": _TYPES[settings.form], "Accept": _ACCEPTED[settings.form]}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._patience = patience or Patience()
        self._succeeded = self._silent = False

    async def ask(self, png: bytes) -> Answer:
        """The picture enhanced. Raises EnhancerError where none comes that can be used, and HarnessError where none can.

        Where the picture before got no reply in all its tries, this one has a single try.
        """
        key, attempt = hashlib.sha256(png).hexdigest(), 0
        while True:
            attempt += 1
            found = await self._once(png)
            if isinstance(found, Answer):
                self._succeeded, self._silent = True, False
                return found
            if self._silent or not await self._patience.again(key, attempt, found):
                self._silent = found.kind in SILENT
                tries = f" (after {attempt} tries)" if attempt > 1 else ""
                raise self._failed(found, tries)

    async def _once(self, png: bytes) -> Answer | HttpFault:
        import aiohttp

        url, settings = self.settings.url, self.settings
        http = Http(
            self._headers, proxy=self._proxy, timeout=settings.timeout, window=1, mask=self._mask
        )
        try:
            reply = await http.post(url, self._body(png))
        except TimeoutError:
            return HttpFault("timeout", f"no picture within {settings.timeout:g} s")
        except (TooLarge, Unreadable) as error:
            return HttpFault("bad-reply", http.words(error), again=isinstance(error, Unreadable))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if hint := trust_hint(error):
                raise HarnessError(f"{self._told}: {http.words(error)}", hint=hint) from None
            return HttpFault("unreachable", f"{url}: {http.words(error)}")
        finally:
            await http.close()
        return self._read(reply, png)

    def _read(self, reply: HttpResponse, png: bytes) -> Answer | HttpFault:
        if reply.status != 200:
            said = told_by(reply.data, hide=self._mask.text)
            try:
                judged = judge(
                    reply.status, said, reply.headers,
                    place=self._told, succeeded=self._succeeded,
                )  # fmt: skip
            except HarnessError as error:
                hint = f"check url and key_env under [enhancers.{self.name}] of harness.toml"
                raise HarnessError(error.message, hint=hint) from None
            if isinstance(judged, Blocked):
                return HttpFault("rejected", f"HTTP {reply.status}: {judged.said}", again=False)
            return judged
        try:
            data, version = self._picture(reply)
            return _checked(data, version, png, name=f"the reply of {self.settings.url}")
        except (MediaError, _NoPicture) as error:
            told = error.message if isinstance(error, MediaError) else str(error)
            told = self._other_form(reply.data) or told
            return HttpFault("bad-reply", self._mask.text(told), again=False)

    def _picture(self, reply: HttpResponse) -> tuple[bytes, str]:
        """The picture of a reply, encoded, and the version. Raises _NoPicture."""
        version: object = reply.headers.get(VERSION, "")
        if self.settings.form == "picture":
            if not reply.data:
                raise _NoPicture("the reply is empty")
            return reply.data, self._version(version)
        try:
            found = read_json(reply.data)
        except (ValueError, RecursionError):
            raise _NoPicture("the reply is not JSON") from None
        text = found.get(FIELD) if isinstance(found, dict) else None
        if not isinstance(text, str):
            raise _NoPicture(f"the reply has no field {FIELD!r} with a picture in base64")
        head, comma, rest = text.partition(",")
        coded = rest if comma and head.startswith(_PREFIX) else text
        try:
            return base64.b64decode(coded, validate=True), self._version(
                version or found.get("version") or ""
            )
        except (binascii.Error, ValueError):
            raise _NoPicture(f"the field {FIELD!r} of the reply is not base64") from None

    def _other_form(self, data: bytes) -> str:
        """What to say of a reply in the form that the settings do not name; empty for others."""
        place = f"under [enhancers.{self.name}] of harness.toml"
        if self.settings.form == "picture":
            return (
                f'the reply is JSON, not a picture: set form = "json" {place}'
                if _is_json(data)
                else ""
            )
        try:
            decode(data, name="the reply")
        except MediaError:
            return ""
        return f'the reply is a picture, not JSON: set form = "picture" {place}'

    def _version(self, said: object) -> str:
        return visible(self._mask.text(str(said)))[:_MOST_VERSION]

    def _body(self, png: bytes) -> bytes:
        if self.settings.form == "picture":
            return png
        coded = base64.b64encode(png).decode("ascii")
        return json.dumps({FIELD: coded, **self.settings.body}).encode()

    def _failed(self, fault: HttpFault, tries: str) -> EnhancerError:
        return EnhancerError(Failure(fault.kind, f"{self._told}: {fault.detail}{tries}"))

    @property
    def _told(self) -> str:
        return f"enhance:{self.name}"

    @property
    def _proxy(self) -> str | None:
        """The proxy that the machine names for this host; loopback is never sent through one."""
        if self.settings.loopback or proxy_bypass(self.settings.host):
            return None
        return getproxies().get(urlsplit(self.settings.url).scheme)


_TYPES = {"picture": "image/png", "json": "application/json"}
_ACCEPTED = {"picture": "image/*", "json": "application/json"}


class _NoPicture(ValueError):
    """A reply without a picture; says why."""


def _is_json(data: bytes) -> bool:
    """Whether a reply is a JSON object."""
    try:
        return isinstance(read_json(data), dict)
    except (ValueError, RecursionError):
        return False


def _checked(data: bytes, version: str, png: bytes, *, name: str) -> Answer:
    """A picture of the size that was sent. Raises MediaError for what is none, and _NoPicture for other proportions."""
    from PIL import Image

    image, sent = decode(data, name=name), decode(png, name="the picture sent")
    came = image.size
    if came == sent.size:
        return Answer(encode_png(image), came, scaled=False, version=version)
    if not _alike(came, sent.size):
        raise _NoPicture(
            f"the reply has {came[0]}x{came[1]} pixels, and {sent.width}x{sent.height} were sent: other proportions, or too small"
        )
    scaled: Image.Image = image.resize(sent.size, Image.Resampling.LANCZOS)
    return Answer(encode_png(scaled), came, scaled=True, version=version)


def _alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a reply has the proportions of what was sent, but for a pixel that was rounded, and at least half its sides."""
    large = 2 * one[0] >= other[0] and 2 * one[1] >= other[1]
    return large and abs(one[0] * other[1] - one[1] * other[0]) <= max(*one, *other)
