"""The pages that repeat papers: every command as far as it needs no weights, no server and no data of others."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from harness.cli.main import build_parser
from harness.cli.options import evaluation
from harness.models import OpenOptions
from harness.models.vllm.architectures import requirement
from tests.documents import Block, blocks

LLAMA, GPT = "papers/qwen-against-llama.md", "papers/gpt-4o-affectnet.md"


def commands(page: str) -> list[list[str]]:
    return [words for b in blocks(page) if b.language == "bash" for words in b.commands]


def asking(page: str) -> list[list[str]]:
    return [
        words for words in commands(page) if words[:2] in (["harness", "run"], ["harness", "plan"])
    ]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the pages' readers have: pictures by class, AffectNet's folder, a key."""
    for label in ("confused", "distracted", "happy", "neutral", "tired"):
        folder = tmp_path / "pictures" / label
        folder.mkdir(parents=True)
        PIL.Image.new("RGB", (32, 32)).save(folder / "1.png")
    (tmp_path / "AffectNet" / "val_set" / "annotations").mkdir(parents=True)
    (tmp_path / "key.txt").write_text("sk-made-up")
    (tmp_path / "key.txt").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(page: str, folder: Path) -> list[Block]:
    titled = [b for b in blocks(page) if b.title]
    for block in titled:
        (folder / block.title).write_text(block.text)
    return titled


@pytest.mark.parametrize("page", [LLAMA, GPT])
def test_every_run_is_what_the_program_takes(page: str, here: Path) -> None:
    """Tasks, conditions, models and options for single models are put together as for a real run."""
    files(page, here)
    found = asking(page)
    assert len(found) >= 3
    for words in found:
        args = build_parser(words[1]).parse_args(words[1:])
        job = evaluation(args, out=here / "run").job
        assert job.axes.models, words


def test_both_ways_to_describe_two_servers_are_the_same(here: Path) -> None:
    files(LLAMA, here)
    runs = [w for w in asking(LLAMA) if w[1] == "run" and "--limit 5000" in " ".join(w)]
    opened: list[dict[str, OpenOptions]] = []
    for words in runs[:2]:
        made = evaluation(build_parser("run").parse_args(words[1:]), out=here / "run")
        assert made.opening is not None
        opened.append(made.opening.args[2])  # type: ignore[attr-defined]
    for named, written in zip(opened[0].values(), opened[1].values(), strict=True):
        assert named.vllm_python == written.vllm_python
        assert sorted(named.vllm_args) == sorted(written.vllm_args)
    python = [one.vllm_python for one in opened[0].values()]
    assert python == ["qwen-env/bin/python", "llama-env/bin/python"]


def test_the_pins_are_those_that_are_checked_at_the_start() -> None:
    """The page, what `harness doctor` says to install, and what a start is refused for have one source."""
    installed = [" ".join(w[2:]) for w in commands(LLAMA) if w[0] == "llama-env/bin/pip"]
    assert installed == [requirement("MllamaForConditionalGeneration").replace("'", "")]


def test_the_arithmetic_of_the_pages_is_right() -> None:
    """Tokens of the prompts as they are rendered now, and what follows from them."""
    from harness.core.message import Text
    from harness.prompting.library import Library
    from harness.run.prepare import prompt_variables
    from harness.run.task_files import load_task
    from harness.run.workspace import open_workspace
    from tests.documents import PAGES, ROOT
    from tests.models.tiny_checkpoint import picture

    place = open_workspace(ROOT)

    def tokens(task_name: str, name: str) -> int:
        task = load_task(task_name, place, references=False)
        prompt = Library(place.prompts).prompt(name)
        rendered = Library(place.prompts).render(
            prompt, variables=prompt_variables(task, prompt.head.fills(task.fields)),
            pictures=[picture(1)], replies={},
        )  # fmt: skip
        parts = [part for message in rendered.messages for part in message.parts]
        return round(sum(len(part.text) for part in parts if isinstance(part, Text)) / 4)

    plain, defined = (
        tokens("academic/emotion", f"emotion/{name}") for name in ("plain", "defined")
    )
    seen = (448 // 28) ** 2
    assert f"{seen} + {plain} + 20 = {seen + plain + 20}" in PAGES[LLAMA]
    assert f"{seen} + {defined} + 20 = {seen + defined + 20}" in PAGES[LLAMA]
    total = 5000 * (2 * seen + plain + defined + 40)
    assert f"{total / 1e6:.1f} million" in PAGES[LLAMA]
    assert f"about {total / 2500 / 3600:.1f} hours" in PAGES[LLAMA]
    assert f"{5000 * (plain + defined + 40) / 1e6:.1f} million, and 10,000 pictures" in PAGES[LLAMA]
    report = tokens("affectnet/smiles", "cues/report")
    each = report + 255 + 15
    assert f"{report} + 255 + 15 = {each}" in PAGES[GPT]
    assert f"{4000 * each / 1e6:.1f} million, {4000 * each / 1e6 * 2.5:.2f} USD" in PAGES[GPT]
    assert f"{4000 * 220 / 1e6:.1f} million, {4000 * 220 / 1e6 * 10:.2f} USD" in PAGES[GPT]
    assert f"{4000 * (each + 220) / 30000 / 60:.1f} hours" in PAGES[GPT]
