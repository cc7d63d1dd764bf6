"""The prompt of protocols whose requests never wait for a named reply."""

from __future__ import annotations

from harness.core.errors import HarnessError
from harness.core.prompt import Rendering
from harness.core.protocol import Render


def rendered(
    render: Render, protocol: str, *, hint: str = "use a prompt without reply tags"
) -> Rendering:
    """The rendering without replies. Raises HarnessError, with `hint`, for a prompt that waits for a named one."""
    rendering = render({})
    if rendering.awaiting is not None:
        raise HarnessError(
            f"the prompt uses a reply called {rendering.awaiting!r}, which the protocol {protocol!r} never produces",
            hint=hint,
        )
    return rendering
