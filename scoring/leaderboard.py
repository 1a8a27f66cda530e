"""The Leaderboard: everything that the site and the command line show, as one frozen record.

Takes nothing, gives the records; scoring.boards fills them. Never holds a number that a reader could not recompute
from submissions/, the ledger and a season file. A value that is not known is None, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import Field, GetPydanticSchema, WrapSerializer

from harness.schema.base import Day, KebabId, Record, Sha256
from harness.schema.bundle import AuditNote, Citation, Entry
from harness.schema.episode import ActionClass, Count, ExitStatus
from harness.schema.vocabulary import Direction, Domain, ProfileName
from scoring.ledger import LedgerLine, Level
from scoring.made import tuple_or_made, written
from scoring.vocabulary import SCORING_VERSION, BoardId, Column, Reading

RowKind = Literal["entry", "baseline", "preview"]
R = TypeVar("R", bound=Record)
Many = Annotated[Sequence[R], GetPydanticSchema(tuple_or_made), WrapSerializer(written)]
"""A tuple, or records that are made when they are looked at."""


class Cost(Record):
    """USD an episode. `usd_per_episode` None: no price is known; it is never 0 for that reason."""

    usd_per_episode: float | None = Field(description="in the prices of the board's day")
    source: Literal["recomputed", "unknown"]
    words: str = Field(description="how the cost is known")
    run_day_usd_per_episode: float | None = Field(default=None, description="in the prices of the run's own day")
    reported_usd_per_episode: float | None = Field(default=None, description="what the run itself recorded")


class Interval(Record):
    """A 95 % interval of the bootstrap over seeds."""

    low: float
    high: float


class Score(Record):
    """One entry on one task in one column. `value` None: no valid artifact in any seed (infeasible)."""

    value: float | None
    mean: float | None = Field(description="over the seeds that have a value")
    stderr: float | None = Field(description="of that mean; None with fewer than two values")
    seeds: tuple[float | None, ...] = Field(description="one per seed, None: that episode has no score")
    log10_ratio: float | None = Field(description="log10 of the performance ratio; None: no ratio is defined")
    feasible: bool = Field(description="has a value, and not worse than the baseline")
    beats_baseline: bool | None = Field(description="None: no value, or no baseline")
    beats_tuner: bool | None = Field(default=None, description="None: no value, or nobody ran plain search here")
    contribution: float = Field(description="this task's share of AUP: max(0, tau_max - log10_ratio) / number of tasks")


class Cell(Record):
    """One entry on one task: both columns, and how it went."""

    task: KebabId
    metric: str
    direction: Direction
    best: Score
    last: Score
    valid_episodes: Count
    episodes: Count
    validate_calls: Count
    one_look: float | None = Field(default=None, description="best final submission of episodes within the budget")
    gap: float | None = Field(default=None, description="mean of sealed minus validation value of what was handed in")
    exits: dict[ExitStatus, Count] = {}
    tokens: tuple[Count, Count, Count, Count, Count] | None = Field(
        default=None,
        description="of all its episodes: input outside any cache, read from one, written to one, output; and how many "
        "episodes called a model",
    )
    notes: tuple[AuditNote, ...] = ()


class Standing(Record):
    """Where a row stands in one column. Rank None: shown, not ranked."""

    rank: int | None
    rank_low: int | None = Field(description="95 % interval of the rank, both ends included")
    rank_high: int | None
    tie_group: int | None = Field(description="1, 2, ...: rows of a group are not told apart from its leader")
    aup: float
    aup_interval: Interval | None = Field(description="of best-of-k: one-sided, a resampled best never gains")
    mean_aup: float = Field(description="mean over the seeds of the AUP of one seed alone")
    mean_interval: Interval | None = None
    borda: float
    leave_one_out: tuple[int, int] | None = Field(description="lowest and highest rank when one task is left out")
    beats_tuner: Count | None = Field(
        default=None, description="on how many tasks it beats plain search; None: unknown"
    )
    by_domain: dict[Domain, float] = Field(description="AUP within the tasks of one domain")


class Row(Record):
    """One row of one board."""

    kind: RowKind
    entry: Entry | None = Field(description="None: the baseline")
    id: KebabId
    label: str = Field(description="what a reader sees: model or agent")
    submitter: str | None = None
    level: Level | None = None
    profile: ProfileName = "official"
    standings: dict[Column, Standing] = Field(description="empty: nothing of it has been regraded")
    cells: Many[Cell] = Field(description="in the order of Board.tasks")
    cost: Cost
    valid_episodes: Count = Field(description="episodes with a valid final score")
    episodes: Count = Field(description="expected: tasks x seeds; never shrinks")
    exits: dict[ExitStatus, Count] = {}
    failed: Count = Field(default=0, description="episodes with no score at all")
    incomplete: Count = Field(default=0, description="scored, but neither success nor max_steps")
    dominant_failure: ExitStatus | None = None
    steps: Count = 0
    input_tokens: Count = 0
    output_tokens: Count = 0
    wall_s: float | None = None
    gpu_s: float | None = None
    actions: dict[ActionClass, Count] = {}
    citation: Citation | None = None
    notes: tuple[AuditNote, ...] = ()
    not_ranked_because: str | None = None
    partial: bool = Field(default=False, description="never ran some of the board's tasks: no AUP and no rank")


class BoardTask(Record):
    """One task as a board measures it."""

    id: KebabId
    title: str
    domain: Domain
    metric: str
    direction: Direction
    transform: Literal["identity", "half-shifted"] = "identity"
    baseline: float | None
    baseline_source: str
    reference: float | None = Field(description="what column last is divided by: frozen (season) or of the cohort")
    best_reference: float | None = Field(description="the same for column best")
    reference_source: str
    tuner: float | None = Field(
        default=None, description="what plain search over the starter hands in; None: unmeasured"
    )
    tuner_source: str | None = None
    rankable: bool = True
    beaten_by: Count = Field(description="entries whose final submission beats the baseline: difficulty")
    entries: Count


class UnrankedTask(Record):
    """A task of the season that counts for no rank yet: why, and what was handed in on it."""

    id: KebabId
    title: str
    metric: str
    direction: Direction
    reason: str
    values: dict[KebabId, float] = Field(description="by row: best final submission over the seeds")


class Curve(Record):
    """A performance profile as exact steps: from tau[i] (log10) on, the share of tasks is rho[i]."""

    row: KebabId
    column: Column
    tau: tuple[float, ...]
    rho: tuple[float, ...]


class ParetoPoint(Record):
    """One row in (cost per episode, AUP of `column`). Cost None: the gutter, never on the frontier."""

    row: KebabId
    column: Column
    cost_usd: float | None
    aup: float
    frontier: bool


class Constants(Record):
    """What a board's numbers rest on."""

    tau_max: float
    eps: float
    seeds: int
    draws: int
    season: str | None = None
    frozen: Day | None = None
    prices: Day


class Board(Record):
    """One ranking under one reading. A preview board holds exactly one row of kind preview."""

    id: BoardId
    reading: Reading
    title: str
    preview: bool = False
    default_column: Column = "last"
    constants: Constants
    tasks: tuple[BoardTask, ...]
    unranked: tuple[UnrankedTask, ...] = Field(default=(), description="tasks of the season that are not ranked")
    rows: tuple[Row, ...] = Field(description="by rank in the default column; unranked rows after them")
    curves: Many[Curve]
    pareto: Many[ParetoPoint]
    sentences: tuple[str, ...] = Field(description="findings in words, computed from the data")
    headline: tuple[str, ...] = Field(
        default=(), description="of these the leader, the best under $1, the hardest task"
    )
    caveats: tuple[str, ...] = Field(default=(), description="what this board does not say")


class Rejection(Record):
    """A folder under submissions/ that is not on any board, and every reason."""

    folder: str
    reasons: tuple[str, ...]


class Flag(Record):
    """What a reader should look at twice: a computed fact about an entry, not a verdict."""

    entry: KebabId
    flag: str
    task: KebabId
    seed: Count
    value: float | None
    against: float | None
    words: str


class Leaderboard(Record):
    """The whole board of one state of submissions/."""

    schema_version: Literal[1] = 1
    scoring_version: str = SCORING_VERSION
    data_sha256: Sha256 = Field(description="over every bundle, the ledger, the season and the prices that were read")
    data_date: Day
    boards: tuple[Board, ...]
    previews: tuple[Board, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    ledger: tuple[LedgerLine, ...] = ()
    flags: Many[Flag] = ()

    def board(self, board: BoardId, reading: Reading) -> Board | None:
        """The board of that id and reading, or None when there is none."""
        return next((b for b in self.boards if (b.id, b.reading) == (board, reading)), None)
