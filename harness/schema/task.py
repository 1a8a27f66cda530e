"""TaskSpec: every fact about a task that harness, scorer and site need, read from tasks/<id>/task.toml."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.errors import Problem, SchemaError, UsageError
from harness.schema.base import Day, HttpsUrl, KebabId, Line, Record, SafePath, SemVer, Sha256, canonical_bytes
from harness.schema.search import Hyperparameter
from harness.schema.starter import NO_STARTER, OtherStarter, StarterName, Variant
from harness.schema.vocabulary import SIGN
from harness.schema.vocabulary import Direction as Direction
from harness.schema.vocabulary import Domain as Domain
from harness.schema.vocabulary import ProfileName as ProfileName
from harness.schema.vocabulary import Split as Split

Params = dict[str, int | float | str | bool]
DEFAULT_DATASET = "default"


class Metric(Record):
    """A measured quantity. The first metric of a task is the ranked one."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: str
    direction: Direction
    unit: str
    minimum: float | None = None
    maximum: float | None = None

    @property
    def sign(self) -> int:
        """1 or -1: a value times this is better the more it is."""
        return SIGN[self.direction]

    def best(self, values: Iterable[float]) -> float | None:
        """The best of some values; None of none."""
        return max(values, key=lambda value: self.sign * value, default=None)


class ArtifactFile(Record):
    """One regular file that the agent must leave, relative to its workspace."""

    path: SafePath
    max_bytes: int = Field(gt=0)
    media: Literal["csv", "python", "safetensors", "npz"]


class Grader(Record):
    """Which of the three kinds of grader, and what it needs to know.

    predictions: `key` and `target` are columns; the labels file is grader/labels.csv (key, split, target). A target of
    the type texts is one or more accepted texts, one a line; a prediction is one text.
    play: tasks/<id>/grader/referee.py meets the artifact through the player adapter `adapter`.
    claims: grader/<split>.bin holds the tokens; the harness's own referee asks for claims and audits them.
    """

    kind: Literal["predictions", "play", "claims"]
    version: SemVer
    key: str | None = None
    target: str | None = None
    target_type: Literal["float", "int", "str", "texts"] | None = None
    adapter: Literal["strategy", "function", "policy", "model"] | None = None
    function: str | None = None
    relative_to_starter: bool = False
    regrade_tolerance: float = Field(ge=0, description="predictions: absolute; play: relative, beside standard errors")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = ("key", "target", "target_type") if self.kind == "predictions" else ("adapter",)
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a {self.kind} grader needs {', '.join(missing)}")
        return self


class Baseline(Record):
    """What the untouched starter scores: `measured` by our grader, or `upstream`, cited. Never invented."""

    origin: Literal["measured", "upstream"]
    profile: ProfileName
    metric: str
    value: float
    stderr: float | None = Field(default=None, ge=0)
    n: int | None = Field(default=None, gt=0, description="episodes or games behind the value")
    tolerance: float | None = Field(default=None, gt=0, description="`tasks check` demands |measured - value| <= this")
    hardware: str | None = None
    date: Day | None = None
    source: str


class Twin(Record):
    """Other bytes with the same content (packed again), taken in place of a source's own when a mirror has them."""

    sha256: Sha256
    size_bytes: int = Field(gt=0)
    origin: str


class HubFile(Record):
    """One file of a Hugging Face repository at one commit."""

    repo: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=96)
    kind: Literal["model", "dataset"]
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    path: SafePath


class Source(Record):
    """One pinned file and the places that serve the same bytes.

    `mirror` is its name in a mirror folder, `installed` where a system package puts it, `hub` and `urls` are asked over
    the network in this order. `unverified` says where the digest is cited from when nobody of this project has held the
    file; a maintainer who has downloaded it removes the sentence. Without a known digest or size the sentence says so,
    and what the first download brought is recorded on that machine and enforced from then on.
    """

    name: SafePath
    mirror: SafePath
    installed: str | None = Field(default=None, pattern=r"^(/[A-Za-z0-9._+-]+)+$")
    hub: HubFile | None = None
    urls: tuple[HttpsUrl, ...] = ()
    sha256: Sha256 | None = None
    size_bytes: int | None = Field(default=None, gt=0)
    twins: tuple[Twin, ...] = ()
    unverified: str | None = Field(default=None, min_length=1)

    @property
    def key(self) -> str:
        """The name under which this machine stores it: its digest, or a digest of its places while that is unknown."""
        if self.sha256:
            return self.sha256
        places = self.model_dump(mode="json", include={"name", "hub", "urls"})
        return "unpinned-" + hashlib.sha256(canonical_bytes(places)).hexdigest()

    @model_validator(mode="after")
    def _honest(self) -> Self:
        if (self.sha256 is None or self.size_bytes is None) and not self.unverified:
            raise ValueError("without sha256 and size_bytes, `unverified` must say why they are unknown")
        return self


class Limits(Record):
    """Limits of one episode. Times in seconds, cost in USD of the run's day."""

    steps: int = Field(gt=0)
    wall_time_s: int = Field(gt=0)
    command_time_s: int = Field(gt=0, description="an ordinary command")
    training_time_s: int = Field(gt=0, description="one command that trains or evaluates")
    cost_usd: float = Field(gt=0)
    validations: int = Field(ge=0, description="validate calls that count as a one-look episode")
    memory_mib: int = Field(default=4096, gt=0)
    cpus: float = Field(default=2.0, gt=0)
    pids: int = Field(default=512, gt=0)
    grade_time_s: int = Field(default=600, gt=0, description="one whole grade")
    reply_time_s: int = Field(default=60, gt=0, description="one message of the play protocol")


class Profile(Record):
    """How large the task is run. `params` go to data.py, to the starter (as GYMBOARD_<NAME>) and to the referee."""

    params: Params = {}


class Dataset(Record):
    """Other data for the same task: same columns, artifact, metrics and grader. Never ranked.

    `params` come on top of the profile's, `sources` and `baselines` replace the task's own.
    """

    summary: str = Field(min_length=1, max_length=300)
    note: str = Field(min_length=1, max_length=1000, description="what the agent is told after the instruction")
    params: dict[ProfileName, Params] = {}
    sources: tuple[Source, ...] = ()
    baselines: tuple[Baseline, ...] = ()


class Reference(Record):
    """A value that the page and the flags need: the best honest score, a transform's source, a citation."""

    metric: str
    value: float
    source: str


Measured = Annotated[float, Field(gt=0)] | Literal["unmeasured"]


class Resource(Record):
    """What one part of the starter's official run costs on one machine. `steps` of it make the run; whoever has not
    measured says so. On a CPU a step's seconds are CPU seconds of one thread."""

    part: Line
    device: Literal["cpu", "gpu"]
    steps: int = Field(gt=0)
    seconds_per_step: Measured
    peak_gpu_mib: Measured | None = Field(default=None, description="of the whole process; a GPU's rows only")
    hardware: Line | None = None
    date: Day | None = None
    source: Line

    @property
    def run_s(self) -> float | None:
        """Estimate of the part's whole length, seconds; None while it is unmeasured."""
        return None if self.seconds_per_step == "unmeasured" else self.steps * self.seconds_per_step

    @model_validator(mode="after")
    def _honest(self) -> Self:
        measured = self.seconds_per_step != "unmeasured"
        if measured and (self.hardware is None or self.date is None):
            raise ValueError("a measured time names its hardware and date")
        if (self.device == "gpu") != (self.peak_gpu_mib is not None):
            raise ValueError("peak_gpu_mib belongs to a GPU's rows, and to each of them")
        if not measured and self.peak_gpu_mib not in (None, "unmeasured"):
            raise ValueError("peak_gpu_mib was measured, so seconds_per_step was too")
        return self


class TaskSpec(Record):
    """One task. Source of the facts: arXiv 2502.14499 and the public MLGym repository."""

    id: KebabId
    version: SemVer
    upstream_id: str
    title: str
    summary: str
    domain: Domain
    image: Literal["cpu", "torch", "jax"]
    replay: Literal["ci", "maintainer", "no"]
    public_labels: bool
    transform: Literal["identity", "half-shifted"] = Field(
        default="identity", description="season reading only; half-shifted is (1 + s)/2"
    )
    starter_command: str = Field(description="what the `baseline` agent runs before it submits; may be empty")
    search_command: str = Field(
        default="",
        description="makes the artifact from GYMBOARD_HP_<NAME> and prints its estimate; else starter_command",
    )
    hyperparameters: tuple[Hyperparameter, ...] = Field(default=(), description="of the starter, for the `tuner` agent")
    metrics: tuple[Metric, ...] = Field(min_length=1)
    artifact: tuple[ArtifactFile, ...] = Field(min_length=1)
    grader: Grader
    baselines: tuple[Baseline, ...] = Field(min_length=1)
    honest_best: Reference | None = None
    limits: Limits
    profiles: dict[ProfileName, Profile]
    sources: tuple[Source, ...] = ()
    variants: dict[OtherStarter, Variant] = Field(
        default={}, description="other starters; `none` is there without a declaration"
    )
    datasets: dict[KebabId, Dataset] = Field(
        default={}, description="further datasets by name; the one called default is the task's own and needs no entry"
    )
    resources: tuple[Resource, ...] = Field(default=(), description="of the starter's official run; shown on its page")
    differences: tuple[str, ...] = Field(min_length=1, description="from MLGym, and why; shown on its page")
    not_stopped: tuple[str, ...] = Field(min_length=1, description="by the isolation; shown on its page")

    @property
    def metric(self) -> Metric:
        return self.metrics[0]

    def baseline(self, profile: ProfileName, origin: Literal["measured", "upstream"] = "measured") -> Baseline | None:
        """The baseline of the ranked metric, or None when it was not measured (never a guess)."""
        fits = (b for b in self.baselines if (b.profile, b.origin, b.metric) == (profile, origin, self.metric.name))
        return next(fits, None)

    @property
    def starters(self) -> dict[StarterName, Variant | None]:
        """Every starter by name; the whole one, `baseline`, has no Variant."""
        found: dict[StarterName, Variant | None] = {"baseline": None, "none": NO_STARTER}
        found.update(self.variants.items())
        return found

    def starter(self, name: StarterName) -> Variant | None:
        """The variant of that name, None for the whole starter. Raises UsageError."""
        if name not in self.starters:
            raise UsageError(f"{self.id} has no starter {name!r}; it has {', '.join(self.starters)}")
        return self.starters[name]

    def on(self, dataset: str | None) -> Self:
        """The same task on another of its datasets, whose name is among the parameters. Raises UsageError."""
        if dataset in (None, DEFAULT_DATASET):
            return self
        if dataset not in self.datasets:
            known = ", ".join([DEFAULT_DATASET, *self.datasets])
            raise UsageError(f"{self.id} has no dataset {dataset!r}; it has {known}")
        other = self.datasets[dataset]
        profiles = {
            name: Profile(params={**profile.params, **other.params.get(name, {}), "dataset": dataset})
            for name, profile in self.profiles.items()
        }
        changed = {"profiles": profiles, "sources": other.sources, "baselines": other.baselines, "honest_best": None}
        return self.model_copy(update=changed)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = {metric.name for metric in self.metrics}
        baselines = [*self.baselines, *(b for dataset in self.datasets.values() for b in dataset.baselines)]
        strangers = {b.metric for b in baselines} - names
        if strangers:
            raise ValueError(f"baselines name metrics that the task does not have: {', '.join(sorted(strangers))}")
        if DEFAULT_DATASET in self.datasets:
            raise ValueError(f"the dataset {DEFAULT_DATASET} is the task's own and cannot be declared again")
        parameters = [parameter.name for parameter in self.hyperparameters]
        if len(set(parameters)) != len(parameters):
            raise ValueError("two hyperparameters have the same name")
        if set(self.profiles) != {"official", "smoke"}:
            raise ValueError("profiles must be exactly official and smoke")
        return self


def tasks_root() -> Path:
    """The folder of the tasks: tasks/ in a checkout, gymboard_tasks/ beside the packages in an installed wheel."""
    above = Path(__file__).resolve().parents[2]
    return above / "tasks" if (above / "tasks" / "images").is_dir() else above / "gymboard_tasks"


def load_task(folder: Path) -> TaskSpec:
    """Read tasks/<id>/task.toml. Raises SchemaError (with paths), UsageError when there is no such task."""
    file = folder / "task.toml"
    if not file.is_file():
        known = sorted(path.parent.name for path in folder.parent.glob("*/task.toml"))
        raise UsageError(f"no task {folder.name!r}; the tasks here are: {', '.join(known) or 'none'}")
    spec = TaskSpec.from_toml(file.read_text(encoding="utf-8"), subject=f"{folder.name}/task.toml")
    required = ("instruction.md", "starter")
    missing = [Problem(name, "is missing") for name in required if not (folder / name).exists()]
    overlays = {f"variants.{name}.overlay": variant.overlay for name, variant in spec.variants.items()}
    missing += [
        Problem(path, f"names {overlay}, and there is no such folder")
        for path, overlay in overlays.items()
        if overlay is not None and not (folder / overlay).is_dir()
    ]
    if spec.id != folder.name:
        missing.append(Problem("id", f"is {spec.id!r} but the folder is {folder.name!r}"))
    if missing:
        raise SchemaError(f"tasks/{folder.name}", missing)
    return spec


def load_tasks(root: Path | None = None) -> dict[str, TaskSpec]:
    """Every folder with a task.toml, by id, sorted."""
    base = root or tasks_root()
    return {file.parent.name: load_task(file.parent) for file in sorted(base.glob("*/task.toml"))}
