"""The shapes of two public formats for results, written from their documentation and checked before a file is written.

- `.eval_results/*.yaml` of the Hugging Face Hub: huggingface/hub-docs, `eval_results.yaml` and `docs/hub/eval-results.md`
  of August 2026. The Hub checks further that the data set is a registered benchmark with that task id, which cannot be
  known here.
- Every Eval Ever, schema version 0.3.0 of August 2026 (evaleval/every_eval_ever, `eval.schema.json`): the required parts,
  and those optional ones that are filled here. What the project's own checks ask beyond its schema is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

EVERY_EVAL_EVER = "0.3.0"
"""The version of the schema that is followed."""

HUB_ID = r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$"
Words = Mapping[str, str]
"""Further details: every value is a text."""
Bound = FiniteFloat | Literal["Infinity", "-Infinity"]
Said = Annotated[str, Field(min_length=1)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubDataset(_Shape):
    """Where a leaderboard is: a benchmark on the Hub."""

    id: Annotated[str, Field(pattern=HUB_ID)]
    task_id: Said
    """As the `eval.yaml` of the benchmark names it."""
    revision: str | None = None


class HubSource(_Shape):
    """Where a result is from."""

    url: Annotated[str, Field(pattern=r"^https://\S+$")]
    name: str | None = None


class HubResult(_Shape):
    """One entry of a file in `.eval_results/`."""

    dataset: HubDataset
    value: FiniteFloat
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(T\S+)?$")]
    source: HubSource | None = None
    notes: str | None = None


class EverySource(_Shape):
    """Who evaluated."""

    source_name: str
    source_type: Literal["evaluation_run"] = "evaluation_run"
    source_organization_name: Said
    evaluator_relationship: Literal["first_party", "third_party", "collaborative", "other"]


class EveryLibrary(_Shape):
    """What evaluated."""

    name: Said
    version: Said
    additional_details: Words = {}


class EveryModelDetails(_Shape):
    """What is known of a model besides its name."""

    deployment_type: Literal["self_deployed", "externally_managed", "unknown"]
    model_availability: Literal["open_weights", "closed_weights", "unknown"] = "unknown"
    identity: str


class EveryModel(_Shape):
    """The model."""

    name: Said
    id: Said
    additional_details: EveryModelDetails


class EveryHubData(_Shape):
    """Data of the Hub."""

    dataset_name: Said
    source_type: Literal["hf_dataset"] = "hf_dataset"
    hf_repo: Annotated[str, Field(pattern=HUB_ID)]
    hf_split: str | None = None
    samples_number: int


class EveryOtherData(_Shape):
    """Data that are no data set of the Hub."""

    dataset_name: Said
    source_type: Literal["other"] = "other"
    additional_details: Words = {}


class EveryMetric(_Shape):
    """What was computed. A continuous score names its bounds."""

    evaluation_description: str
    metric_id: Said
    metric_name: Said
    metric_unit: str | None = None
    lower_is_better: bool
    score_type: Literal["continuous"] = "continuous"
    min_score: Bound
    max_score: Bound
    additional_details: Words = {}


class EveryInterval(_Shape):
    """An interval of a score."""

    lower: FiniteFloat
    upper: FiniteFloat
    confidence_level: Annotated[float, Field(ge=0, le=1)]
    method: str

    @model_validator(mode="after")
    def _in_order(self) -> EveryInterval:
        if self.lower > self.upper:
            raise ValueError(f"the interval {self.lower}..{self.upper} is empty")
        return self


class EveryUncertainty(_Shape):
    """How surely a score is known."""

    confidence_interval: EveryInterval | None = None
    num_samples: Annotated[int, Field(ge=0)]


class EveryScore(_Shape):
    """The number."""

    score: FiniteFloat
    details: Words = {}
    uncertainty: EveryUncertainty


class EveryArguments(_Shape):
    """Parameters of generation that are known."""

    temperature: FiniteFloat | None = None
    top_p: FiniteFloat | None = None
    top_k: FiniteFloat | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None


class EveryGeneration(_Shape):
    """How answers were asked for."""

    generation_args: EveryArguments
    additional_details: Words = {}


class EveryResult(_Shape):
    """One metric of one cell on one field."""

    evaluation_result_id: Said
    evaluation_name: Said
    source_data: EveryHubData | EveryOtherData
    metric_config: EveryMetric
    score_details: EveryScore
    generation_config: EveryGeneration


class EveryEval(_Shape):
    """One file: all results of one model."""

    schema_version: Literal["0.3.0"] = "0.3.0"
    evaluation_id: Said
    evaluation_timestamp: str
    retrieved_timestamp: Annotated[str, Field(pattern=r"^\d+$")]
    source_metadata: EverySource
    eval_library: EveryLibrary
    model_info: EveryModel
    evaluation_results: Annotated[tuple[EveryResult, ...], Field(min_length=1)]
