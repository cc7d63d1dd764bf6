"""Build one self-contained page from its template, with script and style inside."""

from __future__ import annotations

import secrets
from pathlib import Path

from aiohttp import web


def page_response(folder: Path) -> web.Response:
    """`page.html` of a folder with `page.css` and `page.js` put into it; no other script or style may run."""
    nonce = secrets.token_urlsafe(12)
    page = (folder / "page.html").read_text(encoding="utf-8")
    for name in ("page.css", "page.js"):
        page = page.replace(f"/*{name}*/", (folder / name).read_text(encoding="utf-8"))
    response = web.Response(text=page.replace("NONCE", nonce), content_type="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src 'self' blob: data:; media-src blob:; connect-src 'self'; script-src 'nonce-{nonce}'; "
        f"style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response
