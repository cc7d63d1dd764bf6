"""What is released: the wheel, the sdist, and the files that say what it is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

from harness.version import __version__
from tests.documents import ROOT, blocks

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def build(project: Path, target: str, place: Path) -> Path:
    """The wheel or sdist of a project folder."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(place)],
        cwd=project, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (made,) = place.iterdir()
    return made


def contents(wheel: Path) -> dict[str, int]:
    """Path -> checksum of every file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {one.filename: one.CRC for one in archive.infolist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = set(contents(wheel))
    tops = {name.split("/")[0] for name in names}
    assert tops == {"harness", f"affect_harness-{__version__}.dist-info"}
    assert [n for n in names if "/training/" in n or "train" in Path(n).stem.split("_")] == []
    assert [n for n in names if "__pycache__" in n or n.startswith("harness/tests")] == []
    assert any(n.startswith("harness/affect_tiny/weights/") for n in names)
    for folder in ("prompts", "tasks"):
        there = {p.relative_to(ROOT).as_posix() for p in (ROOT / folder).rglob("*") if p.is_file()}
        assert {f"harness/shipped/{name}" for name in there} <= names
    sources = {p.relative_to(ROOT).as_posix() for p in (ROOT / "harness").rglob("*.py")}
    assert {name for name in sources if "/training/" not in name} <= names


def test_no_code_of_the_wheel_imports_what_it_lacks() -> None:
    """The training code may import the rest, never the other way round."""
    users = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "harness").rglob("*.py")
        if "training" not in path.parts
        and re.search(r"^\s*(?:from|import) harness\.affect_tiny\.training", path.read_text(encoding="utf-8"), re.M)
    ]  # fmt: skip
    assert users == []


@pytest.mark.slow
def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    for name in ("sdist", "unpacked", "wheel"):
        (tmp_path / name).mkdir()
    packed = build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (project,) = (tmp_path / "unpacked").iterdir()
    assert (project / "harness/affect_tiny/training/train.py").is_file()
    rebuilt = contents(build(project, "wheel", tmp_path / "wheel"))
    ours = contents(wheel)
    record = f"affect_harness-{__version__}.dist-info/RECORD"
    assert rebuilt.keys() == ours.keys()
    assert [name for name in ours if ours[name] != rebuilt[name] and name != record] == []


@pytest.mark.slow
def test_an_installed_wheel_passes_the_own_data_example(wheel: Path, tmp_path: Path) -> None:
    """In an environment without the checkout, that sees the packages of this one."""
    place = tmp_path / "env"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    (packages,) = place.glob("lib/python*/site-packages")
    known = [p for p in sys.path if Path(p).name == "site-packages"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
         "--no-index", "--no-compile", str(wheel)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (packages / "known.pth").write_text("\n".join(known) + "\n")
    (work := tmp_path / "work").mkdir()

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=work, capture_output=True, text=True, timeout=240, env={"PATH": "/usr/bin:/bin"})  # fmt: skip
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    where = run(str(python), "-c", "import harness; print(harness.__file__)").strip()
    assert Path(where).is_relative_to(place)
    assert run(str(place / "bin/harness"), "--version").split()[-1] == __version__
    own = next(
        b for b in blocks("README.md") if b.language == "sh" and "source.file=mine" in b.text
    )
    for words in own.commands:
        assert words[0] == "harness", shlex.join(words)
        run(str(place / "bin/harness"), *words[1:])
    assert (work / "results/runs/mine/report.html").is_file()


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    """`## 0.3.0 (not released)` stands for 0.3.0.dev0, `## 0.3.0` for 0.3.0; the newest stands last."""
    headings = re.findall(r"^## (\d+\.\d+\.\d+)( \(not released\))?$", CHANGELOG, re.MULTILINE)
    assert len(headings) == CHANGELOG.count("\n## ")
    numbers = [tuple(map(int, number.split("."))) for number, _ in headings]
    assert numbers == sorted(numbers)
    assert not any(open_ for _, open_ in headings[:-1])
    number, not_released = headings[-1]
    assert __version__ == (f"{number}.dev0" if not_released else number)


def test_a_tag_on_this_commit_is_the_version() -> None:
    done = subprocess.run(
        ["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    tags = [tag for tag in done.stdout.split() if re.fullmatch(r"v\d.*", tag)]
    assert tags in ([], [f"v{__version__}"])


def test_the_citation_is_one() -> None:
    """Required keys and forms of the Citation File Format 1.2.0."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["type"] == "software" and citation["license"] == "Apache-2.0"
    assert citation["version"] == __version__
    for author in citation["authors"]:
        assert {"name"} <= author.keys() or {"family-names", "given-names"} <= author.keys()


def container_steps() -> list[tuple[str, str]]:
    """(instruction, rest) of the container recipe."""
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [
        (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
        for line in lines
        if line and not line.startswith("#")
    ]


def copied() -> list[str]:
    """What the recipe copies from the checkout."""
    copies = [rest for step, rest in container_steps() if step == "COPY" and "--from" not in rest]
    return [word for rest in copies for word in rest.split()[:-1]]


def test_the_container_runs_without_rights() -> None:
    steps = container_steps()
    assert [rest for step, rest in steps if step == "USER"][-1:] == ["harness"]
    names = [step for step, _ in steps]
    after = names[names.index("USER") :]
    assert "RUN" not in after and after[-2:] == ["ENTRYPOINT", "CMD"]
    shown = set((ROOT / ".containerignore").read_text(encoding="utf-8").splitlines())
    assert {f"!{name}" for name in copied()} <= shown


@pytest.mark.slow
def test_what_the_container_copies_is_enough_to_build(wheel: Path, tmp_path: Path) -> None:
    for name in copied():
        source = ROOT / name
        skip = shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, tmp_path / "src" / name, ignore=skip)
        else:
            (tmp_path / "src").mkdir(exist_ok=True)
            shutil.copy(source, tmp_path / "src" / name)
    (tmp_path / "built").mkdir()
    built = contents(build(tmp_path / "src", "wheel", tmp_path / "built"))
    assert built.keys() == contents(wheel).keys()


def test_the_top_level_is_as_it_was() -> None:
    done = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip("no git repository")
    folders = {"harness", "prompts", "tasks", "results", "tests", "docs", ".ci"}
    files = {
        "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff", "LICENSE",
        "Makefile", "Containerfile", ".containerignore", "pyproject.toml", "constraints.txt", "mkdocs.yml", "requirements.lock",
        ".gitignore", ".pre-commit-config.yaml",
    }  # fmt: skip
    assert set(done.stdout.split()) <= folders | files
