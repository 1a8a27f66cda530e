"""The words that the react agent puts around a task: system prompt, what is left, summaries, what came of an action.

Takes settings and observations, gives text. Never looks at a clock: what is left is what the observation says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.agents.base import Budget, Observation
from harness.agents.react.history import clipped
from harness.terminal import plain
from harness.tools.base import Form

SYSTEM = """\
You are a research engineer. You work alone in a Linux sandbox without network, on the task below. Your aim is the best
score that you can reach within its limits, not only a valid one.

How it goes on: you answer with one action, it is executed, you are shown what came of it, and so on until you submit or
a limit is reached; at a limit what is then in your workspace is handed in for you.

- `bash` is one shell that stays open: folder, variables and background programs survive. Nothing can be typed into a
  running program. A command that takes longer than its limit is stopped.
- Paths of the other tools are relative to your workspace, wherever the shell is. Data lies under $GYMBOARD_DATA.
- Hand in early: leave something valid in the workspace first, then improve it. `validate` tells you a score; use it to
  choose, and `submit` when you are done.
- Every observation ends with what is left of your steps, time and money. Plan with it.
"""
NATIVE = """\
Answer with a tool call. Several calls in one answer are executed in order, one step each; the rest is dropped when one
fails. An answer without a call does nothing and costs a step.
"""
TEXT = """\
Answer with a short thought and then exactly one fenced block that names a tool. For bash the block is the command:

```bash
ls -la
```

For every other tool it has one line `name: value` for each argument; an argument called `text` comes last, after a line
`---`, exactly as it is to stand in the file, over as many lines as it needs:

```edit
start: 3
end: 4
---
    return total
```

A text that itself has a line of three backticks goes into a block of four. An answer without such a block does nothing
and costs a step. The tools:
"""
ASK_SUMMARY = """\
Below is the record of your own work on a task so far. Sum it up for yourself: you will go on with nothing else in
hand. Keep what was tried and its scores, which files exist and what is in them, what failed and why, and the plan. At
most 400 words, no preamble.

"""
SUMMARY_CHARS = 6000
RAW_CHARS = 1 << 20
NOT_EXECUTED = "not executed: an earlier call of the same answer failed"
REFUSED = "the model declined to answer. If you cannot do the task, call submit; else go on with a call"


def system_prompt(forms: Mapping[str, Form[Any]], guidance: str, memory: str = "", *, native: bool) -> str:
    """Everything that holds for the whole episode."""
    parts = [SYSTEM, NATIVE if native else TEXT + _listed(forms)]
    return "\n".join([*parts, *([f"{memory}\n"] if memory else []), guidance]).strip() + "\n"


def tool_schemas(forms: Mapping[str, Form[Any]]) -> list[dict[str, Any]]:
    """The same as OpenAI's list of functions."""
    return [
        {"type": "function", "function": {"name": form.name, "description": form.help, "parameters": form.parameters}}
        for form in forms.values()
    ]


def observation_text(observation: Observation, chars: int) -> str:
    """What the model is shown of an observation: no escape or control, lines that were redrawn once, cut, and what is
    left of the limits."""
    shown = clipped(plain(_redrawn(clipped(observation.text, RAW_CHARS)), tabs=True), chars)
    return f"{shown}\n{left_text(observation.left)}" if observation.left else shown


def left_text(left: Budget) -> str:
    """`[left: 46 steps, 3 h 55 min, $0.83]`."""
    minutes, seconds = divmod(int(max(0.0, left.time_s)), 60)
    hours, minutes = divmod(minutes, 60)
    time = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 10 else f"{minutes} min {seconds} s"
    money = [] if left.cost_usd is None else [f"${left.cost_usd:.4g}"]
    return f"[left: {', '.join([f'{left.steps} steps', time, *money])}]"


def _redrawn(text: str) -> str:
    """Each line as it stood at last: a progress bar writes over itself behind carriage returns."""
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def _listed(forms: Mapping[str, Form[Any]]) -> str:
    return "".join(f"\n{form.name}: {form.signature}\n    {form.help}\n" for form in forms.values())
