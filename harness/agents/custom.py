"""A submitter's own class as the agent: `pkg.module:Class` -> what makes one for each episode.

Imports from the current folder and from what is installed, constructs the class, and checks it against the protocol of
base.py before anything runs. The code runs in this process, as its owner: it is trusted with this machine, never with
the board.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from harness.agents.base import Agent
from harness.errors import UsageError, in_words
from harness.schema.base import Line

METHODS = {"begin": ("briefing",), "act": ("observation",), "usage": ()}
"""What is called, and with what."""
LINES = {"name": False, "version": False, "model": True}
"""What is recorded, and whether it may be None."""


def agent_settings(file: Path) -> tuple[dict[str, Any], str]:
    """The keyword arguments that an agent file holds, and their digest. Raises UsageError."""
    try:
        data = file.read_bytes()
        return tomllib.loads(data.decode()), hashlib.sha256(data).hexdigest()
    except (OSError, ValueError) as error:
        raise UsageError(f"--agent-file {file}: {in_words(error, file)}") from None


def class_agent(name: str, file: Path | None = None) -> Callable[[], Agent]:
    """Makes a new agent each time, with an agent file's settings as keyword arguments; its `declares` then names their
    digest. Raises UsageError with every fault found.
    """
    kind = _imported(name)
    settings, digest = agent_settings(file) if file else ({}, "")

    def make() -> Agent:
        try:
            agent = kind(**settings)
            faults = _faults(agent)
            if file and not faults:
                agent.declares = (*getattr(agent, "declares", ()), f"settings sha256:{digest}")
        except (Exception, SystemExit) as error:
            words = f"with {', '.join(settings)}" if settings else "without arguments"
            raise UsageError(f"{name} cannot be made {words}: {type(error).__name__}: {error}") from error
        if faults:
            raise UsageError(f"{name} is no agent (harness/agents/base.py): {'; '.join(faults)}")
        return cast(Agent, agent)

    return make


def _imported(name: str) -> type:
    module_name, _, class_name = name.partition(":")
    if not module_name or not class_name.isidentifier():
        raise UsageError(f"{name!r}: write it as package.module:Class")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that nothing in it stands before what is installed
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        hint = "it is looked for in this folder and among the installed packages"
        raise UsageError(f"{name}: there is no module {error.name!r}; {hint}") from error
    except (Exception, SystemExit) as error:  # a script without a guard ends the process
        raise UsageError(f"{name}: its module fails on import: {type(error).__name__}: {error}") from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        classes = sorted(key for key, value in vars(module).items() if isinstance(value, type))
        there = ", ".join(classes) or "none"
        raise UsageError(f"{name}: {module_name} has no class {class_name}; its classes: {there}")
    return found


def _faults(agent: object) -> list[str]:
    faults = []
    for name, words in METHODS.items():
        method = getattr(agent, name, None)
        if not callable(method):
            faults.append(f"it has no method {name}({', '.join(words)})")
        elif not _takes(method, len(words)):
            faults.append(f"its {name} must be callable as {name}({', '.join(words)})")
    for name, may_lack in LINES.items():
        value = getattr(agent, name, None)
        if value is None and may_lack:
            continue
        try:
            TypeAdapter(Line).validate_python(value, strict=True)
        except ValidationError:
            faults.append(f"its attribute {name} must be one line of printable text, and is {value!r:.80}")
    declares = getattr(agent, "declares", ())
    try:
        TypeAdapter(tuple[Line, ...]).validate_python(declares, strict=True)
    except ValidationError:
        faults.append(f"its attribute declares must be a tuple of lines, and is {declares!r:.80}")
    return faults


def _takes(method: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(method).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # no signature to be had, as of some compiled code: the call will show
        return True
    return True
