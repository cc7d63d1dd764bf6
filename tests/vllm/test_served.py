"""What a real vLLM answers: three channels, several pictures, a clip, and its prefix cache."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from harness.affect_tiny import weights_folder
from harness.core.generation import Generation
from harness.core.model import Model
from harness.core.request import Request
from harness.models import open_model
from tests.vllm.drawn import requests_of
from tests.vllm.serving import Served, harness, lines, scores

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1200)]

FACES = ("run", "faces/emotion", "--no-report", "--json")


def replies(model: Model, requests: list[Request]) -> list[Generation]:
    async def put() -> list[Generation]:
        try:
            return list(await asyncio.gather(*(model.reply(request) for request in requests)))
        finally:
            await model.close()

    return asyncio.run(put())


def said(generations: list[Generation]) -> list[str]:
    assert [g.failure for g in generations if g.failure is not None] == []
    return [g.text for g in generations]


@pytest.mark.parametrize(
    ("task", "prompt", "count"),
    [("faces/emotion", "emotion/plain", 24), ("faces/me-vqa", "vqa/plain", 12)],
)
def test_greedy_replies_are_those_of_transformers(
    served: Served, task: str, prompt: str, count: int
) -> None:
    """One picture, and a clip of three."""
    asked = requests_of(task, prompt, count)
    here = said(replies(open_model("affect-tiny"), asked))
    there = said(replies(open_model(served.spec), asked))
    same = sum(a == b for a, b in zip(here, there, strict=True))
    assert same >= count - 1, [(a, b) for a, b in zip(here, there, strict=True) if a != b]


def test_many_at_once_answer_as_one_at_a_time(served: Served) -> None:
    asked = requests_of("faces/emotion", "emotion/plain", 16)
    together = said(replies(open_model(served.spec), asked))
    alone = [said(replies(open_model(served.spec), [one]))[0] for one in asked]
    assert together == alone


def test_choice_holds_every_reply_to_the_labels(served: Served, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = harness(
        *FACES, "--limit", "40", "--model", served.spec, "--channel", "choice", "--out", run
    )
    assert scores(done, "accuracy")[served.spec, "emotion/plain"] > 0.5
    (model,) = json.loads((run / "manifest.json").read_text())["models"].values()
    assert model["constraints"]["choice"] == "structured_outputs"
    table = parquet.read_table(run / "records.parquet").to_pylist()
    assert {row["outcome"] for row in table} == {"answered"}


def test_choice_holds_a_report_to_its_schema(served: Served, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = harness(
        "run", "faces/cues", "--no-report", "--json", "--limit", "8", "--model", served.spec,
        "--channel", "choice", "--out", run,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (model,) = json.loads((run / "manifest.json").read_text())["models"].values()
    assert model["constraints"]["json"] == "structured_outputs"
    texts = [line["text"] for line in lines(run / "generations.jsonl")]
    assert len(texts) == 8
    assert all(set(json.loads(text)) >= {"emotion", "valence", "mouth"} for text in texts)


def test_label_probabilities_are_a_distribution_and_agree_with_what_is_said(
    served: Served, tmp_path: Path
) -> None:
    runs = {}
    for channel in ("free", "logprob"):
        done = harness(
            *FACES, "--limit", "40", "--model", served.spec, "--channel", channel,
            "--out", tmp_path / channel,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        table = parquet.read_table(tmp_path / channel / "records.parquet").to_pylist()
        runs[channel] = {row["sample"]: row["value"] for row in table if row["field"] == "emotion"}
    assert len(runs["logprob"]) == 40
    same = sum(runs["free"][sample] == value for sample, value in runs["logprob"].items())
    assert same >= 38
    for line in lines(tmp_path / "logprob" / "generations.jsonl"):
        masses = [math.exp(one) for one in line["scores"]["logprobs"]]
        assert 0.5 < sum(masses) <= 1 + 1e-3, "what the model says is mostly a label"


def test_a_grid_of_prompts_over_a_picture_finds_it_in_the_prefix_cache(
    served: Served, tmp_path: Path
) -> None:
    """The run goes picture by picture, so that all prompts of one meet while it is held; what was predicted is found."""
    hits = [served.metric("vllm:prefix_cache_hits_total")]
    (tmp_path / "harness.toml").write_text(
        f'[models.tiny]\nmodel = "{served.spec}"\ncheckpoint = "{weights_folder()}"\n'
    )
    asked = ["faces/emotion", "--limit", "20", "--seed", "5", "--model", "tiny", "--json"]
    asked += [f"--prompt=emotion/{name}" for name in ("plain", "defined", "au-guided")]
    planned = harness("plan", *asked, here=tmp_path)
    (foreseen,) = json.loads(planned.stdout)["plan"]["sharing"]
    done = harness("run", *asked, "--no-report", "--out", "run", here=tmp_path)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads((tmp_path / "run" / "manifest.json").read_text())["models"].values()
    found = told["cache_counts"]
    assert found["server"] == "vLLM" and found["requests"] == found["pictures"] == 60
    assert found["prompt_tokens"] == foreseen["prompt_tokens"], "as the plan counts them"
    assert found["pictures_cached"] >= 38, "two of three prompts find their picture read already"
    assert found["cached_tokens"] / found["prompt_tokens"] >= told["shared_foreseen"] - 0.01 > 0
    hits.append(served.metric("vllm:prefix_cache_hits_total"))
    assert hits[1] - hits[0] >= found["cached_tokens"] > 0
