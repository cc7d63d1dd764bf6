"""`harness submit`: write the answer files of a challenge from finished runs, or check existing ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import refuse_unused

if TYPE_CHECKING:
    from harness.submit import Assembled, Choice, Fill, Findings, Package, Questions, SubmissionForm


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `harness submit`."""
    parser.usage = (
        "harness submit CHALLENGE RUN [RUN ...] --to-answer FILE [FILE ...] --out DIR [options]\n"
        "       harness submit CHALLENGE --to-answer FILE [FILE ...] --check FILE [FILE ...]"
    )
    parser.add_argument(
        "challenge",
        metavar="CHALLENGE",
        help="megc2025-me-vqa, megc2025-me-str, megc2026-me-vqa or megc2026-me-lvqa",
    )
    parser.add_argument(
        "run", nargs="*", type=Path, metavar="RUN", help="run folders with the answers"
    )
    parser.add_argument(
        "--to-answer", metavar="FILE", nargs="+", action="extend", type=Path, required=True,
        help="question files of the challenge, under their published names. For ME-STR: tables named "
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
        "--dry-run", action="store_true", help="show what would be written, without writing it"
    )
    parser.add_argument(
        "--fill", metavar="words|FIELD=TEXT", action="append", default=[],
        help="what to write for replies without a usable answer: `words` for their own text, or a fixed text per "
        "field. Repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--labels", metavar="FIELD=A,B", action="append", default=[],
        help="allowed labels of a field, if they differ from the built-in ones; other answers give a warning. "
        "Repeatable",
    )  # fmt: skip
    chosen = parser.add_argument_group("which answers to use, if the runs hold several")
    for name in ("task", "model", "prompt", "condition", "channel"):
        chosen.add_argument(f"--{name}", metavar=name.upper(), help=f"only answers of this {name}")


def execute(args: argparse.Namespace) -> int:
    """Check, or assemble and write."""
    from harness.submit import form_named, read_questions

    # `--to-answer FILE ... RUN` also takes the run folders after it: folders are no answer files.
    args.run += [path for path in args.to_answer if path.is_dir()]
    args.to_answer = [path for path in args.to_answer if not path.is_dir()]
    labels = {k: tuple(v.split(",")) for k, v in _pairs(args.labels, "--labels").items()}
    form = form_named(args.challenge, labels)
    if form.spots:
        return _spots(args, form)
    asked = [read_questions(path, form) for path in dict.fromkeys(args.to_answer)]
    for name in form.missing(tuple(questions.path.name for questions in asked)):
        print(f"note: {name} is missing; the challenge has {len(form.files)} question files")
    _refuse_nonsense(args)
    return _check(form, asked, args.check) if args.check else _submit(args, form, asked)


def _refuse_nonsense(args: argparse.Namespace) -> None:
    from harness.core.errors import HarnessError

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


def _spots(args: argparse.Namespace, form: SubmissionForm) -> int:
    """Tables of intervals: check them, or make them from runs over windows."""
    from harness.core.errors import HarnessError
    from harness.submit import check_spots, pack_spots, read_spotted, read_videos, spots_for

    _refuse_nonsense(args)
    asked = [read_videos(path) for path in dict.fromkeys(args.to_answer)]
    if args.check:
        fit = True
        by_name = {videos.answers_to: videos for videos in asked}
        for file in dict.fromkeys(args.check):
            if file.name not in by_name or not file.is_file():
                raise HarnessError(
                    f"{file} is not one of the expected tables of intervals",
                    hint=f"expected: {', '.join(by_name)}",
                )
            findings = check_spots(file.read_bytes(), by_name[file.name], form, name=file.name)
            _print_findings(findings)
            fit = fit and not findings.faults
        return 0 if fit else 1
    refuse_unused("for tables of intervals", {"--fill": args.fill, "--labels": args.labels})
    spotted = read_spotted(args.run, _choice(args))
    package = pack_spots(form, [(videos, *spots_for(videos, spotted)) for videos in asked])
    for findings in package.findings:
        _print_findings(findings)
    return _finish(args, package)


def _choice(args: argparse.Namespace) -> Choice:
    from harness.submit import Choice

    return Choice(args.task, args.model, args.prompt, args.condition, channel=args.channel)


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


def _fill(args: argparse.Namespace) -> Fill:
    from harness.core.errors import HarnessError
    from harness.sources.megc_questions import ASKED
    from harness.submit import Fill

    values = _pairs([text for text in args.fill if text != "words"], "--fill")
    known = sorted({field for fields in ASKED.values() for field in fields})
    for name in values:
        if name not in known:
            raise HarnessError(
                f"--fill: unknown field {name!r}",
                hint=f"use `words`, or one of: {', '.join(known)}",
            )
    return Fill(words="words" in args.fill, values=values)


def _check(form: SubmissionForm, asked: list[Questions], files: list[Path]) -> int:
    from harness.submit import check_file

    by_name = {questions.answers_to: questions for questions in asked}
    left = [questions for name, questions in by_name.items() if name not in {f.name for f in files}]
    fit = True
    for file in dict.fromkeys(files):
        questions = by_name.get(file.name)
        if questions is None:
            questions = left.pop(0) if left else asked[0]  # the wrong name is reported as an error
        findings = check_file(file, questions, form)
        _print_findings(findings)
        fit = fit and not findings.faults
    for questions in left:
        print(f"note: no answer file for {questions.path.name}")
    return 0 if fit else 1


def _submit(args: argparse.Namespace, form: SubmissionForm, asked: list[Questions]) -> int:
    from harness.submit import assemble, pack, read_given

    fill = _fill(args)
    every = {question.video_id: question for questions in asked for question in questions.rows}
    given = read_given(args.run, every, _choice(args))
    parts = [assemble(questions, given, fill) for questions in asked]
    package = pack(form, parts, fill)
    for part, findings in zip(parts, package.findings, strict=True):
        _print_findings(findings)
        _print_spread(part)
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
    unseen = "the layout of the zip file is"
    if package.form.spots:
        unseen = "the table columns and the layout of the zip file are"
    print(
        f"{unseen} not confirmed by the challenge; compare with its submission page before you upload"
    )
    return 0


def _print_findings(findings: Findings) -> None:
    from harness.analyses.words import visible

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


def _print_spread(part: Assembled) -> None:
    """How often each answer to the questions with few answers, and what was filled in."""
    from collections import Counter

    from harness.analyses.words import visible
    from harness.submit.check import name_rows

    kinds: dict[str, Counter[str]] = {}
    for question, answer in zip(part.questions.rows, part.answers, strict=True):
        kinds.setdefault(question.kind or "unknown", Counter())[answer] += 1
    for kind, counted in kinds.items():
        shown = ", ".join(f"{text} {n}" for text, n in counted.most_common(4) if len(text) < 60)
        print(f"  {kind}: {visible(shown or f'{len(counted)} different answers')}")
    grouped: dict[tuple[str, str], list[int]] = {}
    for one in part.filled:
        why = ", ".join(f"{name} {outcome}" for name, outcome in one.outcomes.items())
        wrote = one.wrote if len(one.wrote) <= 200 else f"{one.wrote[:197]}..."
        grouped.setdefault((why, wrote), []).append(one.row)
    for (why, wrote), rows in grouped.items():
        print(f"  filled in {name_rows(rows)} ({why}): {visible(wrote)}")


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
