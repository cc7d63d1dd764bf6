"""A page in a headless Chromium."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
AXE = (
    Path(__file__).resolve().parents[2]
    / ".ci" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
)  # fmt: skip
"""`npm install --prefix .ci/axe axe-core` puts it there, as .ci/run does."""
ERRORS = re.compile(r"CONSOLE|Uncaught|Refused to|Content.Security.Policy")
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")


def browse(page: Path, profile: Path, *flags: str, fragment: str = "") -> tuple[str, list[str]]:
    """The elements of a page after its script ran, and what the console said."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--enable-logging=stderr", "--log-level=0", "--virtual-time-budget=4000",
            f"--user-data-dir={profile}", *flags, page.as_uri() + (f"#{fragment}" if fragment else ""),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if ERRORS.search(line)]


def evaluated(page: Path, script: str, scratch: Path, *flags: str) -> Any:
    """What an expression of a page gives, as plain values; it may be a promise. The page's policy is left out."""
    probe = (
        f"<script>Promise.resolve((() => {{ {script} }})()).then((found) => {{ const p = document.createElement('pre');"
        "p.id = 'probe'; p.textContent = JSON.stringify(found); document.body.append(p); })</script>"
    )
    changed = scratch / "probe.html"
    text = _POLICY.sub("", page.read_text(encoding="utf-8"))
    changed.write_text(text.replace("</body>", f"{probe}</body>"), encoding="utf-8")
    shown, _ = browse(changed, scratch / "profile", "--dump-dom", *flags)
    found = re.search(r'<pre id="probe">(.*?)</pre>', shown, re.DOTALL)
    assert found is not None, "the page did not answer"
    return json.loads(html.unescape(found[1]))


def violations(page: Path, scratch: Path, *flags: str) -> list[str]:
    """What axe-core finds wrong with a page, everything unfolded."""
    script = AXE.read_text(encoding="utf-8").replace("</script>", "<\\/script>")
    changed = scratch / "axe.html"
    text = page.read_text(encoding="utf-8")
    changed.write_text(
        text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8"
    )
    return evaluated(  # type: ignore[no-any-return]
        changed,
        "document.querySelectorAll('details').forEach((one) => { one.open = true; });"
        "return axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations.map((one) =>"
        "`${one.id}: ${one.nodes[0].html.slice(0, 200)}`));",
        scratch,
        *flags,
    )
