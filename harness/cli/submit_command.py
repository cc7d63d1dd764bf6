"""`harness submit`: write the answer files of a challenge from finished runs, check existing ones, score them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from harness.submit import Asked, Findings, LocalScore, Options, Package, SubmissionForm


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness submit`."""
    parser.usage = (
        "harness submit FORM RUN [RUN ...] --to-answer FILE [FILE ...] --out DIR [options]\n"
        "       harness submit FORM --to-answer FILE [FILE ...] --check FILE [FILE ...] [--truth FILE]"
    )
    parser.add_argument(
        "form",
        metavar="FORM",
        help="the challenge, such as megc2025-me-vqa; `harness list submissions` shows all",
    )
    parser.add_argument(
        "run", nargs="*", type=Path, metavar="RUN", help="run folders with the answers"
    )
    parser.add_argument(
        "--to-answer", metavar="FILE", nargs="+", action="extend", type=Path, required=True,
        help="question files or templates of the challenge, under their published names. For ME-STR: tables named "
        "NAME_to_answer.csv with the columns subject and video",
    )  # fmt: skip
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="folder for the answers, the zip file and the receipt",
    )
    parser.add_argument(
        "--check", metavar="FILE", nargs="+", action="extend", type=Path, default=[],
        help="check these answer files instead of writing new ones. Exit status 0 if they are valid, otherwise 1",
    )  # fmt: skip
    parser.add_argument(
        "--truth", metavar="FILE", nargs="+", action="extend", type=Path, default=[],
        help="true answers in the challenge's layout: print the local score, with intervals, beside published ones. "
        "One for all files, or one for each --to-answer in the same order",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be written, without writing it"
    )
    parser.add_argument(
        "--fill", metavar="WHAT", action="append", default=[],
        help="what to write where there is no usable answer. MEGC questions: `words` for the reply's own text, or "
        "FIELD=TEXT. ABAW: `nearest`. BLEMORE, and intervals given with --spots: an emotion. Repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--labels", metavar="FIELD=A,B", action="append", default=[],
        help="allowed labels of a field, if they differ from the built-in ones; other answers give a warning. "
        "Repeatable",
    )  # fmt: skip
    chosen = parser.add_argument_group("which answers to use, if the runs hold several")
    for name in ("task", "model", "prompt", "condition"):
        chosen.add_argument(f"--{name}", metavar=name.upper(), help=f"only answers of this {name}")
    chosen.add_argument(
        "--channel", metavar="CHANNEL",
        help="only answers taken in this way, as tables spell it: free, choice, 'free, vote-5', 'free, thinking low'",
    )  # fmt: skip


def execute(args: argparse.Namespace) -> int:
    """Check, or assemble and write; then score where true answers are given."""
    from harness.submit import Options, form_named

    # `--to-answer FILE ... RUN` also takes the run folders after it: folders are no answer files.
    args.run += [path for path in args.to_answer if path.is_dir()]
    args.to_answer = [path for path in args.to_answer if not path.is_dir()]
    labels = {
        name: tuple(label for part in told.split(",") if (label := part.strip()))
        for name, told in _pairs(args.labels, "--labels").items()
    }
    form = form_named(args.form)
    options = Options(tuple(args.fill), labels)
    files = list(dict.fromkeys(args.to_answer))
    _refuse_nonsense(args, files)
    asked = [form.read(path) for path in files]
    for name in form.files:
        if name not in {one.path.name for one in asked}:
            print(f"note: {name} is missing; the challenge has {len(form.files)} question files")
    if args.check:
        return _check(args, form, asked, options)
    return _submit(args, form, asked, options)


def _refuse_nonsense(args: argparse.Namespace, files: Sequence[Path]) -> None:
    from harness.core.errors import HarnessError

    if len(args.truth) not in {0, 1, len(files)}:
        raise HarnessError(
            f"{len(args.truth)} files of true answers for {len(files)} files to be answered",
            hint="give one --truth FILE, or one for each --to-answer in the same order",
        )
    if args.check and args.run:
        raise HarnessError(
            "--check cannot be combined with run folders", hint="leave out the run folders"
        )
    if args.check:
        names = ("task", "model", "prompt", "condition", "channel", "fill", "dry_run", "out")
        refuse_unused(
            "with --check", {f"--{name.replace('_', '-')}": getattr(args, name) for name in names}
        )
        return
    if not args.run:
        raise HarnessError(
            "no run folder given",
            hint="name the run folders with the answers, or check an existing file with --check FILE",
        )
    if args.out is None and not args.dry_run:
        raise HarnessError("--out is missing", hint="give --out DIR, or --dry-run to write nothing")


def _pairs(given: list[str], option: str) -> dict[str, str]:
    from harness.core.errors import HarnessError

    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value.strip()):
            raise HarnessError(
                f"{option} {text!r} is not FIELD=VALUE",
                hint=f"for example: {option} coarse=negative",
            )
        found[name] = value.strip()
    return found


def _check(
    args: argparse.Namespace, form: SubmissionForm, asked: list[Asked], options: Options
) -> int:
    from harness.submit import check_file, match_files
    from harness.submit.checking import read_answers

    fit = True
    matched = match_files(asked, args.check)
    for file, one in matched:
        findings = check_file(form, file, one, options)
        _print_findings(findings)
        fit = fit and not findings.faults
        if args.truth:
            _score_checked(form, read_answers(file), one, _truth_of(args, asked, one), findings)
    for one in asked:
        if one not in [taken for _, taken in matched]:
            print(f"note: no answer file for {one.path.name}")
    return 0 if fit else 1


def _score_checked(
    form: SubmissionForm, data: bytes, one: Asked, truth: Path, findings: Findings
) -> None:
    """The local score of a file that was checked; of one with faults it may not be had, which is no further error."""
    from harness.core.errors import HarnessError
    from harness.core.text import visible

    try:
        score = form.score(data, one, truth)
    except HarnessError as error:
        if not findings.faults:
            raise
        print(f"  no local score: {visible(error.message)}")
        return
    _print_score(form, score, truth)


def _truth_of(args: argparse.Namespace, asked: list[Asked], one: Asked) -> Path:
    truth: Path = args.truth[0] if len(args.truth) == 1 else args.truth[asked.index(one)]
    return truth


def _submit(
    args: argparse.Namespace, form: SubmissionForm, asked: list[Asked], options: Options
) -> int:
    from harness.submit import Choice, pack

    choice = Choice(args.task, args.model, args.prompt, args.condition, channel=args.channel)
    answers = form.answer(asked, args.run, choice, options)
    package = pack(form, answers, options)
    scores = [
        (form.score(draft.data, draft.asked, truth), truth)
        for draft in answers.drafts
        if args.truth
        for truth in [_truth_of(args, asked, draft.asked)]
    ]  # before anything is written: a wrong file of true answers leaves things as they were
    for place, (draft, findings) in enumerate(zip(answers.drafts, package.findings, strict=True)):
        _print_findings(findings)
        for line in draft.notes:
            print(f"  {line}")
        if scores:
            _print_score(form, *scores[place])
    return _finish(args, package)


def _finish(args: argparse.Namespace, package: Package) -> int:
    """Write, or say what would be written."""
    if args.dry_run:
        names = ", ".join((*package.files, package.zip_name))
        print(f"dry run, nothing written. Would write: {names} and a receipt")
        return 0
    print()
    for path in package.write(args.out):
        print(path)
    if package.form.unconfirmed:
        print(
            f"{package.form.unconfirmed} not confirmed by the challenge; compare with its submission page before you "
            "upload"
        )
    return 0


def _print_findings(findings: Findings) -> None:
    from harness.core.text import visible

    state = _many(len(findings.faults), "error") if findings.faults else "structure valid"
    warned = _many(len(findings.warnings), "warning")
    print(f"\n{visible(findings.file)}: {_many(findings.rows, 'row')}, {state}, {warned}")
    for line in findings.faults:
        print(f"  error: {visible(line)}")
    for line in findings.warnings:
        print(f"  warning: {visible(line)}")
    for name, labels in findings.labels.items():
        shown = ", ".join(labels) if len(labels) <= 12 else f"{len(labels)} names"
        print(f"  labels of {name}: {shown} (to change them: --labels {name}=A,B)")


def _print_score(form: SubmissionForm, score: LocalScore, truth: Path) -> None:
    """Value, interval, what a perfect answer gets, and published rows of the same metric."""
    from harness.core.text import visible
    from harness.run.published import of_form, published_folder, read_published
    from harness.stats.coverage import small_sample_coverage

    published = sorted(
        of_form(read_published(published_folder()), form.name), key=lambda row: -row.value
    )
    print(f"  local score against {visible(truth.name)} (not the official one):")
    for one in score.figures:
        bounds = "no interval" if not one.interval.known else f"[{one.interval.low:.3f}, {one.interval.high:.3f}]"  # fmt: skip
        ceiling = (
            ""
            if one.perfect != one.perfect or one.perfect in {0.0, 1.0}
            else f"; a perfect answer gets {one.perfect:.3f}"
        )
        print(f"    {one.name}: {one.value:.3f} {bounds}, n {one.n:,}{ceiling}")
        for row in published:
            if row.metric == one.metric and row.part in {one.part, "all"}:
                print(f"      published: {row.value:.3f} {visible(row.system)} ({row.set})")
    print(f"    intervals: 95 %, {score.resampled} resampled")
    few = small_sample_coverage(score.clusters, method="expanded")
    if few is not None:
        low, high = (f"{share:.2f}".removeprefix("0") for share in few)
        print(
            f"    few {score.resampled}: in simulations such intervals hold the truth in {low} to {high} of cases"
        )
    if score.unspread:
        print(
            f"    where all resamples agree, the interval says what so few {score.resampled} may have missed"
        )
    if published:
        print("    published rows were measured on the challenge's own set, by its own scorer")
    for note in score.notes:
        print(f"    note: {note}")


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
