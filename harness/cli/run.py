"""`gymboard run`: an agent over tasks and seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    from harness.cli.common import choose_tasks
    from harness.cli.jobs import demand_begun_as_said, executor_for, how_many, keys_named
    from harness.cli.run_play import Ready, build_missing, families, show, with_progress
    from harness.cli.run_words import default_name, title_of, well_said
    from harness.executors.aid_words import AidWords
    from harness.executors.model_words import ModelWords
    from harness.executors.words import RunWords
    from harness.sandbox import open_engine
    from harness.sandbox.gpus import parse_gpus
    from harness.schema.task import load_task
    from harness.schema.task import tasks_root as default_root

    root, wanted = tasks_root or default_root(), parse_gpus(gpus)
    title = title_of(name or default_name(agent_name or agent, model, profile, starter, dataset))
    chosen = choose_tasks([tasks], root)
    for task in chosen:  # before anything is made for the run
        load_task(root / task).on(dataset).starter(starter.value)
    with well_said():
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
        build_missing(engine, families(root, chosen), wanted)
        if executor is ExecutorChoice.ray:
            players = on_ray(address, words, engine, episodes_named)
        else:
            players = executor_for(most, engine, gpus=wanted is not None)
        run_of = Ready(words, plan, engine, players, episodes_named)
        ended = with_progress(run_of, quiet=as_json or agent == "human", plain=plain)
    show(ended, words, as_json=as_json)
