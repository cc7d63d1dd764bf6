"""The page in a real browser: no script error, filters that filter, nothing fetched, usable by all."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.report.page import write_report
from harness.run.folder import RunFolder

from .chromium import AXE, CHROMIUM, DARK, browse, evaluated, violations
from .pages import Page, parse
from .runs import LABELS, emotion_task, make_run
from .test_page import HOSTILE, hostile_task

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


def opened(page: Path, fragment: str, profile: Path) -> tuple[Page, str]:
    """The page's elements after its script ran, and what the console said."""
    shown, said = browse(page, profile, "--dump-dom", fragment=fragment)
    return parse(shown), "\n".join(said)


def rows(page: Page) -> int:
    return sum(tag == "th" and known.get("class") == "sample" for tag, known in page.elements)


def test_samples_stand_side_by_side_and_drawn_faces_are_shown(
    run_folder: RunFolder, tmp_path: Path
) -> None:
    page, errors = opened(write_report(run_folder), "", tmp_path / "profile")
    assert errors == ""
    assert rows(page) == 20
    assert "1–20 of 28 that match" in page.words and "page 1 of 2" in page.words
    assert "Columns: 2 of 4 cells" in page.words
    pictures = [known for tag, known in page.elements if tag == "img"]
    assert pictures and all(
        known["src"].startswith("data:image/webp;base64,") for known in pictures
    )
    assert all(known["alt"] for known in pictures)


@pytest.mark.parametrize(
    ("wanted", "count", "words"),
    [
        ("outcome=refused&text=SORRY", 1, "I'm sorry, but I can't judge a person's emotions."),
        ("which=all-wrong", 13, "✗ refused"),
        ("which=a-not-b&a=0&b=1&columns=0,1", 13, "✗ neutral"),
        ("which=disagree&columns=0,2", 0, "No sample matches."),
        ("truth=fear", 4, "fear"),
        ("group=glasses%3Dyes&truth=anger", 2, "glasses: yes"),
        ("sample=test-3-0000005", 1, "Show all samples"),
        ("text=nowhere", 0, "No sample matches."),
    ],
)  # fmt: skip
def test_filters_in_the_address_hold(
    wanted: str, count: int, words: str, run_folder: RunFolder, tmp_path: Path
) -> None:
    report = run_folder.report if run_folder.report.is_file() else write_report(run_folder)
    fragment = f"samples&task=emotion%2Fdrawn&{wanted}"
    page, errors = opened(report, fragment, tmp_path / "profile")
    assert errors == ""
    assert rows(page) == count
    assert words in page.words


def test_hostile_replies_stay_text(runs: Path, tmp_path: Path) -> None:
    folder = make_run(runs, tasks=[hostile_task()], reply=lambda cell, sample, number: HOSTILE)
    page, errors = opened(write_report(folder), "", tmp_path / "profile")
    assert errors == ""
    assert page.words.startswith("affect-tiny on vqa/table")  # the title, not `owned`
    assert "</script><script>document.title='owned'</script><!-- {{7*7}}" in page.words
    assert not [tag for tag, _ in page.elements if tag == "img"]


def test_a_script_that_is_not_the_pages_own_is_refused_and_noticed(
    run_folder: RunFolder, tmp_path: Path
) -> None:
    injected = "<script>document.title='owned'</script></body>"
    changed = tmp_path / "changed.html"
    changed.write_text(
        write_report(run_folder).read_text(encoding="utf-8").replace("</body>", injected),
        encoding="utf-8",
    )
    page, errors = opened(changed, "", tmp_path / "profile")
    assert "Content Security Policy" in errors
    assert page.words.startswith("affect-tiny on")


@pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not installed: npm install --prefix .ci/axe axe-core"
)
@pytest.mark.parametrize(
    "flags", [(), DARK, ("--window-size=390,844",)], ids=["light", "dark", "phone"]
)
def test_axe_finds_nothing_wrong(
    flags: tuple[str, ...], run_folder: RunFolder, tmp_path: Path
) -> None:
    assert violations(write_report(run_folder), tmp_path, *flags) == []


def test_tables_are_sorted_and_the_verdict_fits_a_phone(
    run_folder: RunFolder, tmp_path: Path
) -> None:
    found = evaluated(
        write_report(run_folder),
        """
        const table = document.querySelector('.cellsbox table');
        const heads = [...table.tHead.rows[0].cells];
        const at = heads.findIndex((one) => one.textContent === 'UAR');
        const read = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[at].dataset.sort));
        heads[at].querySelector('button').click();
        const up = read();
        heads[at].querySelector('button').click();
        const wide = [...document.querySelectorAll('table')].filter((one) => one.getBoundingClientRect().width > innerWidth
          && !one.closest('.scroll, .tablebox, #entries'));
        return { up, down: read(), sort: heads[at].getAttribute('aria-sort'), wide: wide.length,
          page: document.documentElement.scrollWidth <= innerWidth,
          answer: document.querySelector('.answer').getBoundingClientRect().top < innerHeight };
        """,
        tmp_path, "--window-size=390,844",
    )  # fmt: skip
    assert found["up"] == sorted(found["up"]) and found["down"] == found["up"][::-1]
    assert found["sort"] == "descending"
    assert (found["wide"], found["page"], found["answer"]) == (0, True, True)


def test_rows_are_not_stretched_on_a_phone_and_filters_stand_in_line_on_a_desk(
    run_folder: RunFolder, tmp_path: Path
) -> None:
    script = """
        document.getElementById('summary').open = true;
        const last = document.querySelector('.summary tbody tr').lastElementChild;
        last.textContent = 'not judged: 20 subjects: such intervals cover .89 at worst, not .95';
        const under = (one) => Math.round(one.getBoundingClientRect().bottom);
        const search = document.querySelector('#filters [name=text]');
        const clear = document.querySelector('#filters [type=reset]');
        const tops = new Set([...document.querySelectorAll('#filters label')].filter((one) => one.offsetParent)
          .filter((one) => under(one) === under(search)).map((one) => Math.round(one.getBoundingClientRect().top)));
        return { row: last.offsetHeight, beside: under(clear) - under(search), tops: tops.size };
    """
    report = run_folder.report if run_folder.report.is_file() else write_report(run_folder)
    for size in ("390,844", "1280,900"):
        found = evaluated(report, script, tmp_path, f"--window-size={size}")
        assert found["row"] < 100 and found["beside"] == 0 and found["tops"] == 1, size


def test_a_link_into_a_folded_part_opens_it(run_folder: RunFolder, tmp_path: Path) -> None:
    report = run_folder.report if run_folder.report.is_file() else write_report(run_folder)
    page, errors = opened(report, "provenance", tmp_path / "profile")
    known = next(k for tag, k in page.elements if tag == "details" and k.get("id") == "provenance")
    assert errors == "" and "open" in known


def test_it_is_drawn_at_desk_and_phone_and_printed(run_folder: RunFolder, tmp_path: Path) -> None:
    report = run_folder.report if run_folder.report.is_file() else write_report(run_folder)
    for name, flags in {
        "desk": ("--window-size=1280,1600",),
        "phone": ("--window-size=390,1600",),
        "dark": ("--window-size=1280,1600", *DARK),
    }.items():
        target = tmp_path / f"{name}.png"
        browse(report, tmp_path / "profile", *flags, f"--screenshot={target}")
        assert target.stat().st_size > 20_000
    target = tmp_path / "page.pdf"
    browse(report, tmp_path / "profile", f"--print-to-pdf={target}", "--no-pdf-header-footer")
    assert target.read_bytes().startswith(b"%PDF") and b"/MediaBox [0 0 594" in target.read_bytes()


def test_a_page_of_many_samples_opens_quickly(tmp_path: Path) -> None:
    """1,200 trials; results of 5,000 x 8 stand in results/benchmarks/page.md."""

    def reply(cell: object, sample: object, number: int) -> str:
        return (
            f"Let me look closely at sample {number}.\nFinal answer: {LABELS[number * number % 7]}"
        )

    folder = make_run(
        tmp_path / "run", tasks=[emotion_task(n=300)], conditions=("none",), models=["a", "b"], reply=reply
    )  # fmt: skip
    report = write_report(folder)
    browse(report, tmp_path / "profile", "--dump-dom")
    begun = time.perf_counter()
    found = evaluated(
        report, "return [performance.now(), document.querySelectorAll('.sample').length];", tmp_path
    )
    assert found[1] == 20 and found[0] < 4000 and time.perf_counter() - begun < 60
