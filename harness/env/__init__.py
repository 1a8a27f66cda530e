"""Every task as a gymnasium environment: importing this registers `gymboard/<task>-v<major version of the task>`.

Takes the tasks folder, gives entries of gymnasium's registry. Gymnasium loads no plugins by itself: a program imports
this, or writes `gymnasium.make("harness.env:gymboard/colonel-blotto-v1")`. Never opens an engine: the first reset does.
"""

from __future__ import annotations

from gymnasium.envs.registration import register, registry

from harness.env.task_env import TaskEnv
from harness.schema.task import TaskSpec, load_tasks

__all__ = ["TaskEnv", "env_id"]


def env_id(task: TaskSpec) -> str:
    """The task's name in gymnasium; a new major version of a task is another environment."""
    return f"gymboard/{task.id}-v{task.version.partition('.')[0]}"


def _register_all() -> None:
    for task in load_tasks().values():
        if env_id(task) not in registry:
            register(
                env_id(task),
                entry_point="harness.env.task_env:TaskEnv",
                nondeterministic=True,
                kwargs={"task": task.id},
            )


_register_all()
