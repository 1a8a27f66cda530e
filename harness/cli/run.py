"""`gymboard run`: an agent over tasks and seeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.aids import EmbeddingsBase, EmbeddingsModel, EmbeddingsPrice, Literature, MemoryWords
from harness.cli.cluster import Address, ExecutorChoice, Where
from harness.cli.common import (
    AsJson,
    DatasetName,
    Mirror,
    Profile,
    ProfileChoice,
    SandboxChoice,
    SandboxKind,
    Starter,
    StarterChoice,
    TasksFolder,
)
from harness.cli.jobs import Jobs, Only
from harness.cli.model import ApiBase, CostLimit, EpisodeCostLimit, KeyEnv, ModelName, PriceWords, Yes, consent

if TYPE_CHECKING:
    from harness.executors.base import Executor
    from harness.executors.words import RunWords
    from harness.runner.run import Ended, RunPlan
    from harness.sandbox.base import Engine
    from harness.sandbox.gpus import Gpus
    from harness.schema.episode import Episode


def run(
    agent: Annotated[
        str,
        typer.Option(
            help="baseline, command, human, nop, oracle, react, replay, tuner; or a class: package.module:Class."
        ),
    ] = "baseline",
    tasks: Annotated[str, typer.Option(help="all, or ids separated by commas.")] = "all",
    profile: Profile = ProfileChoice.official,
    sandbox: SandboxKind = SandboxChoice.auto,
    starter: Starter = StarterChoice.baseline,
    dataset: DatasetName = "default",
    seeds: Annotated[int, typer.Option(min=1, max=64, help="Episodes a task; the board asks for 4.")] = 4,
    name: Annotated[
        str, typer.Option("--run", help="Name of the run; default <agent>-<profile>, and what else differs.")
    ] = "",
    runs: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("runs"),
    gpus: Annotated[
        str, typer.Option(help="GPUs for the agents' containers: all, a number, or none. Graders get none.")
    ] = "none",
    source: Annotated[Path | None, typer.Option("--from", help="replay: the run whose steps are executed.")] = None,
    command: Annotated[str | None, typer.Option("--cmd", help="command: the line for bash that is the agent.")] = None,
    program: Annotated[
        Path | None, typer.Option(help="command: a folder for it, read-only, as $GYMBOARD_PROGRAM.")
    ] = None,
    agent_name: Annotated[str | None, typer.Option(help="command: what the board calls it; default command.")] = None,
    agent_file: Annotated[Path | None, typer.Option(help="react, or a class of yours: its settings, TOML.")] = None,
    model: ModelName = None,
    api_base: ApiBase = None,
    key_env: KeyEnv = None,
    price: PriceWords = None,
    cost_limit: CostLimit = None,
    episode_cost_limit: EpisodeCostLimit = None,
    memory: MemoryWords = None,
    embeddings: EmbeddingsModel = None,
    embeddings_price: EmbeddingsPrice = None,
    embeddings_base: EmbeddingsBase = None,
    literature: Literature = False,
    yes: Yes = False,
    jobs: Jobs = "1",
    only: Only = None,
    executor: Where = ExecutorChoice.local,
    address: Address = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that is there.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="A line a step on stderr, for logs.")] = False,
    log: Annotated[
        Path | None, typer.Option(help="JSON lines, one an event; default logs/run.jsonl in the run's folder.")
    ] = None,
    mirror: Mirror = None,
    tasks_root: TasksFolder = None,
    as_json: AsJson = False,
) -> None:
    """Run an agent over tasks and seeds; every episode is on disk when it ends.

    Examples:

      gymboard run --agent baseline --tasks house-price,colonel-blotto --profile smoke --seeds 1

      gymboard run --tasks house-price --profile smoke --seeds 1 --starter buggy

      gymboard run --tasks fineweb-lm --sandbox docker --gpus 1

      gymboard run --agent command --cmd "cp baseline.py strategy.py && submit" --tasks colonel-blotto --seeds 1

      gymboard run --agent command --agent-name "My coder" --program my-coder --cmd 'python3 $GYMBOARD_PROGRAM/go.py'

      gymboard run --agent react --model openai/gpt-4o --cost-limit 20

      gymboard run --agent react --model openai/gpt-4o --memory own --literature

      gymboard run --agent react --model openai/mine --api-base http://127.0.0.1:8000/v1 --price 0,0

      gymboard run --profile smoke --jobs auto

      gymboard run --tasks house-price --run mine --only house-price/seed-2

      gymboard run --agent react --model openai/gpt-4o --executor ray --address auto

    A run that was killed or interrupted goes on with --resume: no answer of a model is paid twice. The first Ctrl-C
    lets every running episode finish its step, the second ends them at once.

    Exit codes: 0 every episode finished (also those without a score), 1 something of ours failed, 2 wrong call, 130
    interrupted.
    """
    from harness.cli.cluster import demand_where, on_ray
    from harness.cli.common import choose_tasks, emit
    from harness.cli.jobs import demand_begun_as_said, executor_for, how_many, keys_named
    from harness.executors.aid_words import AidWords
    from harness.executors.model_words import ModelWords
    from harness.executors.words import RunWords
    from harness.sandbox import open_engine
    from harness.sandbox.gpus import parse_gpus
    from harness.schema.task import load_task
    from harness.schema.task import tasks_root as default_root

    root, wanted = tasks_root or default_root(), parse_gpus(gpus)
    title = _title(name or _default_name(agent_name or agent, model, profile, starter, dataset))
    chosen = choose_tasks([tasks], root)
    for task in chosen:  # before anything is made for the run
        load_task(root / task).on(dataset).starter(starter.value)
    with _well_said():
        words = RunWords(
            run=title,
            folder=runs / title,
            tasks=tuple(chosen),
            seeds=tuple(range(seeds)),
            profile=profile.value,
            agent=agent,
            sandbox=sandbox.value,
            gpus=gpus,
            starter=starter.value,
            dataset=dataset,
            source=source,
            command=command,
            program=program,
            agent_name=agent_name,
            agent_file=agent_file,
            model=ModelWords(
                name=model,
                api_base=api_base,
                key_env=key_env,
                price=price,
                run_cost_usd=cost_limit,
                episode_cost_usd=episode_cost_limit,
            ),
            aids=AidWords(
                memory=memory,
                embeddings=embeddings,
                price_usd=embeddings_price,
                api_base=embeddings_base,
                literature=literature,
            ),
            mirror=mirror,
            tasks_root=tasks_root,
            log=log,
        )
    episodes_named = keys_named(words, only)
    demand_begun_as_said(words, resume=resume or bool(episodes_named))
    demand_where(executor, address, jobs, words)
    most = how_many(jobs, agent)
    plan = words.plan()
    models = plan.models
    if models is not None:
        consent(models, plan, ask=not (yes or as_json))
    with open_engine(sandbox.value, wanted) as engine:
        _build_missing(engine, _families(root, chosen), wanted)
        if executor is ExecutorChoice.ray:
            players = on_ray(address, words, engine, episodes_named)
        else:
            players = executor_for(most, engine, gpus=wanted is not None)
        run_of = _Run(words, plan, engine, players, episodes_named)
        ended = _with_progress(run_of, quiet=as_json or agent == "human", plain=plain)
    done = [one.episode for one in ended if one.episode]
    episodes = sorted(done, key=lambda one: (chosen.index(one.task), one.seed))
    failures = {one.key: one.failure for one in ended if one.failure}
    if as_json:
        records = [episode.model_dump(mode="json", exclude_none=True) for episode in episodes]
        emit({"run": str(words.folder), "episodes": records, "failures": failures})
    else:
        _report(episodes, root, words.folder)
    for key, failure in failures.items():
        typer.echo(f"error: {key}: {failure}", err=True)
    if failures:
        typer.echo(f"{len(failures)} episode(s) not finished; try again with --resume", err=True)
        raise typer.Exit(1)


@contextmanager
def _well_said() -> Iterator[None]:
    """Words that a record refuses (a limit that is no number, say) are the call's fault. Raises UsageError."""
    from pydantic import ValidationError

    from harness.errors import UsageError

    try:
        yield
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise UsageError("; ".join(faults)) from None


def _default_name(agent: str, model: str | None, profile: ProfileChoice, starter: StarterChoice, dataset: str) -> str:
    from harness.schema.task import DEFAULT_DATASET

    _, _, own = agent.partition(":")
    words = [_words(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", own or agent)) or "command"]
    words += [_words(model)] if model else []
    words += [profile.value]
    words += ["starter", starter.value] if starter is not StarterChoice.baseline else []
    return "-".join(words if dataset == DEFAULT_DATASET else [*words, dataset])


def _words(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def _title(name: str) -> str:
    """The run's name, which is a folder's. Raises UsageError."""
    from pydantic import TypeAdapter, ValidationError

    from harness.errors import UsageError
    from harness.schema.base import KebabId

    try:
        return str(TypeAdapter(KebabId).validate_python(name))
    except ValidationError:
        raise UsageError(f"{name!r} cannot name a run; take lower-case words and numbers joined by -") from None


def _families(root: Path, chosen: list[str]) -> set[str]:
    from harness.schema.task import load_task

    return {load_task(root / task).image for task in chosen}


def _build_missing(engine: Engine, families: set[str], gpus: Gpus | None) -> None:
    """Build what is not there, so that a first run needs no other command; first see that asked-for GPUs are there."""
    from harness.cli.images import ensure
    from harness.sandbox.gpus import PROBE_FAMILY

    if gpus:
        ensure(PROBE_FAMILY, engine.kind)
        typer.echo(f"GPUs: {', '.join(engine.gpu_names())}", err=True)
    for name in sorted(families | {engine.agent_image(family) for family in families}):
        ensure(name, engine.kind)


@dataclass(frozen=True)
class _Run:
    """A run on its engine, ready to be played."""

    words: RunWords
    plan: RunPlan
    engine: Engine
    executor: Executor
    only: tuple[str, ...]


def _with_progress(run_of: _Run, *, quiet: bool, plain: bool) -> list[Ended]:
    """Run and show how it goes; interrupted, say how to go on."""
    from harness.cli.jobs import interrupts
    from harness.cli.live import board
    from harness.executors.drive import drive

    plan = run_of.plan
    done: list[Ended] = []
    models, total = plan.models, len(run_of.only) or len(plan.tasks) * len(plan.seeds)
    spent, limit = (models.ledger.spent_usd, models.plan.run_cost_usd) if models else (None, None)
    try:
        with (
            board(total, quiet=quiet, every_step=plain, spent_usd=spent, limit_usd=limit) as shown,
            interrupts(run_of.words.agent) as stop,
            closing(
                drive(run_of.words, plan, run_of.engine, run_of.executor, shown.watch, stop, run_of.only)
            ) as episodes,
        ):
            for ended in episodes:
                done.append(ended)
                shown.ended(ended)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; {plan.folder} goes on where it was with --resume", err=True)
        raise typer.Exit(130) from None
    return done


def _report(episodes: list[Episode], root: Path, folder: Path) -> None:
    from harness.cli.common import table
    from harness.schema.task import load_task

    rows = []
    for episode in episodes:
        task = load_task(root / episode.task).on(episode.dataset)
        last = episode.attempts[-1] if episode.attempts else None
        sealed = last.sealed if last else None
        value, reason = "-", episode.exit_detail or (last.refused if last else None) or ""
        if sealed:
            value = f"{sealed.metrics[task.metric.name]:.4f}" if sealed.valid else "-"
            reason = sealed.invalid or reason
        baseline = task.baseline(episode.profile)
        against = f"{baseline.value:.4f}" if baseline else "not measured"
        rows.append(
            (episode.task, str(episode.seed), task.metric.label, value, against, episode.exit_status, reason[:80])
        )
    table("", ("task", "seed", "metric", "sealed score", "baseline", "exit", "why"), rows)
    typer.echo(f"run: {folder}")
