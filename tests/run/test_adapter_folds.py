"""Adapters of folds: each subject is asked of the one that never saw it, and every mix-up is named before anything is asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harness
from harness.cli.main import main
from harness.core.sample import Sample
from harness.models.transformers.adapter import (
    Adapter,
    find_adapter,
    refuse_other_base,
    unproven,
    with_base,
)
from harness.models.transformers.checkpoint import find_checkpoint
from harness.models.vllm.arguments import lora_arguments
from harness.run.adapter_folders import find_folds
from harness.run.scoring import shown_as, shown_name
from harness.sources.mapper import RowSource
from tests.models.stub import running_stub
from tests.run.bench import rows, write_pictures

TASK = """\
source: {family: table, file: labels.csv, image: image, label: emotion, subject: person}
fields:
  emotion: {kind: label, labels: [anger, happiness]}
prompts: [emotion/plain, emotion/cot]
"""
CONFIG = {"peft_type": "LORA", "r": 4, "base_model_name_or_path": ""}
Says = Callable[..., str]


@pytest.fixture
def loso(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task over four people, its training data, and what looks like an adapter for each of three folds and one."""
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path, rows(12))
    (tmp_path / "faces.yaml").write_text(TASK)
    assert main(["export", "faces.yaml", "--training", "messages", "--out", "training"]) == 0
    folder = tmp_path / "loso"
    for fold in sorted((tmp_path / "training" / "folds").iterdir()):
        (folder / fold.name).mkdir(parents=True)
        shutil.copy(fold / "fold.json", folder / fold.name)
        (folder / fold.name / "adapter_config.json").write_text(json.dumps(CONFIG))
        (folder / fold.name / "adapter_model.safetensors").write_bytes(b"")
    shutil.copy(tmp_path / "training" / "folds.json", folder)
    return folder


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Says:
    """The words of a run that is refused before anything is asked; the run folder is not made."""

    def run(*more: str, adapter: str = "loso/{fold}") -> str:
        words = ["run", "faces.yaml", "--model", "affect-tiny", "--out", "out"]
        assert main([*words, *(["--adapter", adapter] if adapter else []), *more]) == 2
        assert not (Path("out") / "generations.jsonl").exists()
        return capsys.readouterr().err

    return run


def test_what_is_missing_or_mixed_up_is_named(loso: Path, refused: Says) -> None:
    (loso / "s2").rename(loso / "away")
    assert "there is no adapter for 1 fold of 4: s2" in refused()
    (loso / "away").rename(loso / "s2")

    (loso / "s1").rename(loso / "swap")
    (loso / "s2").rename(loso / "s1")
    (loso / "swap").rename(loso / "s2")
    assert "loso/s1 was trained on 1 subject that fold s1 asks it about: s1" in refused()
    (loso / "s1").rename(loso / "swap")
    (loso / "s2").rename(loso / "s1")
    (loso / "swap").rename(loso / "s2")

    (loso / "s3" / "adapter_config.json").unlink()
    assert "loso/s3 holds no adapter_config.json" in refused()
    (loso / "s3" / "adapter_config.json").write_text(json.dumps(CONFIG | {"base_model_name_or_path": "other/base"}))  # fmt: skip
    assert "folds s0 and s3 are not of one checkpoint" in refused()


def test_a_pattern_without_fold_and_folds_without_a_pattern_are_refused(
    loso: Path, refused: Says
) -> None:
    assert "loso holds an adapter for each fold" in refused(adapter="loso")
    for odd in ("{folds}", "{fold", "*"):
        assert f"{odd} stands for nothing" in refused(adapter=f"loso/{odd}")
    assert "write --adapter 'loso/{fold}'" in refused(adapter="loso")
    assert "--folds has no effect without an adapter for each fold" in refused(
        "--folds", "training/folds.json", adapter=""
    )
    (loso / "folds.json").unlink()
    for note in loso.glob("*/fold.json"):
        note.unlink()
    assert "nothing says which subjects each adapter was trained on" in refused()
    assert "no such file" in refused("--folds", "nothing.json")


def test_a_subject_in_no_fold_is_named(loso: Path, refused: Says) -> None:
    write_pictures(loso.parent, rows(18))
    said = refused()
    assert "2 subjects (6 samples) in no fold of loso/folds.json: s4, s5" in said
    (loso / "folds.json").unlink()  # then what lies in the adapters' own folders counts
    assert "s4, s5" in refused()
    text = (loso.parent / "faces.yaml").read_text().replace(", subject: person", "")
    (loso.parent / "faces.yaml").write_text(text)
    assert "the source names no subjects" in refused()


def test_one_adapter_that_was_trained_on_an_asked_subject_is_refused(
    loso: Path, refused: Says
) -> None:
    said = refused(adapter="loso/s1")
    assert "was trained on 3 subjects that task faces asks it about: s0, s2, s3" in said


def test_the_source_is_read_once_to_plan_a_few_pictures(
    loso: Path, refused: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    ids = RowSource.__iter__

    def counted(source: RowSource) -> Iterator[Sample]:
        read.append("labels.csv")
        return ids(source)

    monkeypatch.setattr(RowSource, "__iter__", counted)
    assert "was trained on 3 subjects" in refused(adapter="loso/s1")
    assert len(read) == 1


def test_a_pattern_may_be_the_name_of_the_fold_alone(loso: Path) -> None:
    shutil.copytree(loso, ".", dirs_exist_ok=True)
    assert find_folds("{fold}", None)[0] == find_folds("loso/{fold}", None)[0]


def test_folds_of_another_export_are_refused(loso: Path, refused: Says) -> None:
    assert main(["export", "faces.yaml", "--training", "messages", "--folds", "2", "--out", "b"]) == 0  # fmt: skip
    for name in ("1", "2"):
        shutil.copytree(loso / "s0", loso / name)
    assert "on" in (said := refused("--folds", "b/folds.json"))
    assert "was trained on" in said


def test_an_adapter_of_another_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    from harness.core.errors import HarnessError

    for name, layers in {"a": 2, "b": 3, "copy": 2}.items():
        (tmp_path / name).mkdir()
        told = {"num_hidden_layers": layers, "transformers_version": name}
        (tmp_path / name / "config.json").write_text(json.dumps(told))

    def check(base: str, argument: str) -> None:
        adapter = Adapter(tmp_path / "lora", "", 4, "LORA", base)
        refuse_other_base(adapter, tmp_path / "a", argument)

    check(str(tmp_path / "a"), str(tmp_path / "a"))
    check(str(tmp_path / "copy"), str(tmp_path / "a"))
    check("/elsewhere/a", str(tmp_path / "a"))
    check("Owner/Name", "owner/name@main")
    for base, argument in ((str(tmp_path / "b"), str(tmp_path / "a")), ("Owner/Other", "Owner/Name")):  # fmt: skip
        with pytest.raises(HarnessError, match="was trained on"):
            check(base, argument)


def test_a_server_is_asked_for_the_adapter_of_each_subjects_fold(
    loso: Path, refused: Says, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every request names the model that never saw its subject, and the rows say which; equal pictures too."""
    names = [f"emo-s{i}" for i in range(4)]
    with running_stub(answer=lambda body: "happiness", adapters=names) as stub:
        model = ["--model", f"openai:emo-{{fold}}@{stub.url}", "--folds", "training/folds.json"]
        words = ["run", "faces.yaml", *model, "--condition", "blank", "--prompt", "all", "--out", "out"]  # fmt: skip
        assert main(words) == 0
        asked = [(body["model"], json.dumps(body["messages"])) for body in stub.requests]
        assert sorted({name for name, _ in asked}) == names
        assert len(asked) == len(set(asked)) == 8  # two prompts, one blank picture, four adapters
        said = capsys.readouterr().err
        assert "emotion/plain was not trained under the condition blank" in said
        assert "emotion/cot was not trained; the adapters were trained on emotion/plain" in said
        assert main(words) == 0  # complete: nothing is asked again
        assert len(stub.requests) == 8
    records = harness.open_run("out").records()
    assert (records["fold"] == records["cluster"]).all()
    trial = json.loads((Path("out") / "trials.jsonl").read_text().splitlines()[0])
    assert trial["shown"]["fold"][0] in {"s0", "s1", "s2", "s3"}
    assert harness.open_run("out").manifest["tasks"]["faces"]["config"]["folds"] == "subject"
    with running_stub(adapters=["emo-s0"]) as stub:
        model = ["--model", f"openai:emo-{{fold}}@{stub.url}", "--folds", "training/folds.json"]
        assert main(["run", "faces.yaml", *model, "--out", "other"]) == 2
        assert "serves no adapter for 3 of 4 folds: s1, s2, s3" in capsys.readouterr().err
        assert not stub.requests


def test_vllm_serves_the_adapters_of_all_folds(tmp_path: Path) -> None:
    named = {f"x-{i}": Adapter(tmp_path / str(i), "", rank, "LORA") for i, rank in enumerate((4, 40))}  # fmt: skip
    asked = lora_arguments(named)
    at = asked.index("--lora-modules")
    assert asked[at + 1 : at + 3] == tuple(f"x-{i}={tmp_path / str(i)}" for i in (0, 1))
    assert asked[asked.index("--max-lora-rank") + 1] == "64"


def test_an_adapter_trained_on_other_weights_is_refused_and_one_that_does_not_say_is_named(
    tmp_path: Path,
) -> None:
    from harness.core.errors import HarnessError

    def adapter(name: str, weights: str) -> Adapter:
        return Adapter(tmp_path / name, "", 4, "LORA", str(tmp_path), weights)

    for weights in (
        "a",
        "",
        "hub:1",
    ):  # a commit of the hub and a digest of files tell nothing of each other
        refuse_other_base(adapter("lora", weights), tmp_path, str(tmp_path), weights="a")
    with pytest.raises(HarnessError, match="was trained on other weights than"):
        refuse_other_base(adapter("lora", "b"), tmp_path, str(tmp_path), weights="a")
    assert unproven([adapter("one", "a")]) == ()
    (note,) = unproven([adapter("one", "a"), adapter("two", ""), adapter("three", "")])
    assert "two (and 1 other) does not say which weights" in note


def test_the_base_that_pefts_configuration_names_is_checked_where_it_is_here(
    tmp_path: Path,
) -> None:
    from harness.core.errors import HarnessError

    commit = "0" * 40

    def made(base: str, **more: str) -> Adapter:
        (tmp_path / "lora").mkdir(exist_ok=True)
        told = CONFIG | {"base_model_name_or_path": base} | more
        (tmp_path / "lora" / "adapter_config.json").write_text(json.dumps(told))
        (tmp_path / "lora" / "adapter_model.safetensors").write_bytes(b"")
        return find_adapter(str(tmp_path / "lora"))

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_text(name)
    here = find_checkpoint(str(tmp_path / "a"))

    def notes(adapter: Adapter, argument: str, weights: str) -> tuple[str, ...]:
        return unproven([with_base(adapter, here.folder, argument, weights=weights)])

    assert notes(made(str(tmp_path / "a")), str(tmp_path / "a"), here.weights) == ()
    with pytest.raises(HarnessError, match=r"by adapter_config\.json in its folder"):
        notes(made(str(tmp_path / "b")), str(tmp_path / "a"), here.weights)
    assert notes(made("Owner/Name"), "owner/name@main", f"hub:{commit}") == ()
    assert notes(made("Owner/Name", revision=commit), "Owner/Name", f"hub:{commit}") == ()
    with pytest.raises(HarnessError, match="trained on other weights"):
        notes(made("Owner/Name", revision=commit), "Owner/Name", "hub:" + "1" * 40)
    for base in ("", "/elsewhere/a", "Owner/Name"):  # nothing here says what they are
        assert "is not checked" in notes(made(base), str(tmp_path / "a"), here.weights)[0]


def test_a_plan_names_the_adapter(loso: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["plan", "faces.yaml", "--model", "affect-tiny", "--json", "--adapter"]
    for adapter, named in {"loso/s1": "adapter s1", "loso/{fold}": "adapters of 4 folds"}.items():
        (loso / "s1" / "fold.json").rename(loso / "fold.json") if adapter == "loso/s1" else None
        assert main([*asked, adapter]) == 0
        cells = json.loads(capsys.readouterr().out)["plan"]["cells"]
        assert {cell["display_name"] for cell in cells} == {f"affect-tiny ({named})"}
        (loso / "fold.json").rename(loso / "s1" / "fold.json") if adapter == "loso/s1" else None


def test_names_in_tables_say_which_adapter_was_asked() -> None:
    tuned = {"identity": "tiny adapter=1", "details": {"adapter": "lora 0a1b"}}
    before = {"model": "tiny", "prompt": "plain@2026", "identity": "tiny"}
    told = shown_as({"models": {"tiny": tuned}, "cells": [{"model": "tiny"}, before]})
    assert [cell["model"] for cell in told["cells"]] == ["tiny (adapter lora)", "tiny"]
    assert told["cells"][0]["called"] == "tiny"
    assert told["models"]["tiny"] == {"identity": "tiny", "details": {}}
    assert shown_name("tiny", {"details": {"adapters": "4 folds 0a1b"}}) == "tiny (adapters of 4 folds)"  # fmt: skip
    assert shown_name("openai:e-{fold}", {"details": {"adapters": "4 folds"}}) == "openai:e-{fold}"
    assert shown_as(told | {"export": {}}) == told | {"export": {}}  # not a second time
    named = tuned | {"settings": {"display_name": "Mine"}}
    assert shown_name("tiny", named) == "Mine"


@pytest.mark.slow
def test_an_adapter_is_never_without_effect_on_a_finished_run(
    loso: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left to ask, but the adapter is another: its trials are planned again."""
    asked = ["run", "faces.yaml", "--model", "affect-tiny", "--prompt", "emotion/plain", "--limit", "2", "--out", "out"]  # fmt: skip
    assert main(asked) == 0
    adapter = loso / "s1"
    (adapter / "fold.json").unlink()
    capsys.readouterr()
    assert main([*asked, "--adapter", str(adapter)]) == 1
    told = capsys.readouterr().err
    assert "2 trials, 2 requests, 0 already done" in told
    assert "could not be applied" in told  # it holds no weights
