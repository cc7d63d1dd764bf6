"""Shared code of the local pages: `harness rate` and `harness view`.

Both are served by aiohttp, which the package needs as a client of model servers anyway.
"""

from harness.local_page.guard import HOST, guarded, same_token
from harness.local_page.page import page_response
from harness.local_page.serving import open_browser, serve, until_interrupt

__all__ = [
    "HOST",
    "guarded",
    "open_browser",
    "page_response",
    "same_token",
    "serve",
    "until_interrupt",
]
