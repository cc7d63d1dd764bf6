"""A rating study as one self-contained page."""

from __future__ import annotations

from markupsafe import Markup

from harness.core.blocks import Lines
from harness.raters.blocks import headline, study_blocks
from harness.raters.study import StudyResult
from harness.report.page import TEMPLATES, environment
from harness.report.writers.html import blocks_html
from harness.version import __version__


def study_page(found: StudyResult) -> str:
    """The page; it loads nothing and runs no script. The same results give the same bytes."""
    env = environment()
    (first, *rest) = study_blocks(found)
    truth = first.lines[1:] if isinstance(first, Lines) else ()
    return env.get_template("ratings.html.j2").render(
        title=f"Ratings of {', '.join(f.name for f in found.table.fields)}", file=found.table.name,
        version=__version__, headline=headline(found), truth=truth, blocks=blocks_html(rest, env),
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
    )  # fmt: skip
