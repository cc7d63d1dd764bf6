"""A comparison as one self-contained page, with the look of the page of a run."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from harness.compare.board import Overview
from harness.compare.tables import Block
from harness.report.first_screen import screen_of, used
from harness.report.page import TEMPLATES, environment, script_digest
from harness.version import __version__

SCRIPT = "tables.js"


def comparison_page(
    compared: Sequence[str], *, found: Overview | None = None, blocks: Sequence[Block] = ()
) -> str:
    """The page of `harness compare`.

    Args:
        compared: names of the run folders, exports and files, as the heading shows them.
        found: the overview of three cells or more: the answer, the ranking, paired differences.
        blocks: tables that stand below it, or alone.

    The page loads nothing, and no script but its own may run. The same results give the same bytes.
    """
    script = (TEMPLATES / SCRIPT).read_text(encoding="utf-8")
    screen = None if found is None else screen_of(found, used(found))
    name = found.name if found is not None else ""
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            title=name or "Comparison",
            compared=compared,
            version=__version__,
            screen=screen,
            alone=screen is not None and len(screen.boards) == 1,
            blocks=blocks,
            script=Markup(script),  # noqa: S704
            script_digest=script_digest(script),
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704
        )
    )
