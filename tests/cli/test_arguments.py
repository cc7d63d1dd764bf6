"""Options that are given wrongly are refused before anything is read."""

from __future__ import annotations

import pytest

from harness.cli.main import build_parser, main


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "faces/emotion", "--limit", "2", "--limit", "3"],
        ["run", "faces/emotion", "--out", "a", "--temperature", "0", "--out", "b"],
        ["score", "run", "--task", "a", "--task", "b"],
        ["compare", "a", "b", "--seed", "1", "--seed", "1"],
        ["export", "a", "--out", "b", "--out", "c"],
    ],
)
def test_an_option_of_one_value_given_twice_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "given twice; it takes one value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ("submit abaw-va --dry-run --to-answer F --out D a b", ["a", "b"]),
        ("submit --out D abaw-va a --dry-run b --to-answer F", ["a", "b"]),
        ("merge a --out D b", ["a", "b"]),
        ("merge --out D -- -a b", ["-a", "b"]),
    ],
)
def test_options_may_stand_between_arguments(written: str, arguments: list[str]) -> None:
    command, *rest = written.split()
    parsed = build_parser(command).parse_args([command, *rest])
    found = parsed.run if command == "submit" else parsed.shards
    assert list(map(str, found)) == arguments


@pytest.mark.parametrize(
    "option",
    [
        ("--temperature", "nan"), ("--temperature", "inf"), ("--temperature", "-1"), ("--temperature", "1e9"),
        ("--repeats", "0"), ("--repeats", "-3"), ("--repeats", "1000000000"), ("--limit", "0"),
        ("--max-tokens", "0"), ("--max-tokens", "99999999999999999999"), ("--seed", "x"), ("--seed", "-1"),
        ("--timeout", "nan"), ("--timeout", "0"), ("--rpm", "inf"), ("--concurrency", "0"),
        ("--concurrency", "100000000"), ("--max-error-rate", "nan"), ("--max-error-rate", "2"),
        ("--shots", "-1"), ("--stop-after", "nan"), ("--give-up-after", "-1"),
    ],
)  # fmt: skip
def test_a_number_out_of_range_is_refused_in_one_line(option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["run", "faces/emotion", "--model", "affect-tiny", "--out", "run", *option])
    except SystemExit as ended:
        status = ended.code
    told = capsys.readouterr().err
    assert status == 2 and option[0] in told, told
    assert not (tmp_path / "run").exists()
