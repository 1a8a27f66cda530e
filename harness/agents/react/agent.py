"""The react agent: asks the episode's metered model for one answer at a time and turns it into actions.

Takes a Briefing with a model, observations and replies; gives actions that follow from these alone, so a killed episode
can be resumed. Several calls of one answer are executed in order, one step each; after one that fails the rest is not.
Never pays outside briefing.model, never looks at a clock.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from harness import __version__
from harness.agents.base import Briefing, Observation
from harness.agents.react.history import History, clipped, size
from harness.agents.react.parse import forms, native_actions, text_actions
from harness.agents.react.prompt import (
    ASK_SUMMARY,
    NOT_EXECUTED,
    REFUSED,
    SUMMARY_CHARS,
    left_text,
    observation_text,
    system_prompt,
    tool_schemas,
)
from harness.agents.react.settings import ReactSettings
from harness.errors import ContextOverflow, EpisodeOver, UsageError
from harness.llm.base import Model
from harness.schema.calls import Reply
from harness.schema.episode import Usage
from harness.schema.steps import Action

CHARS_PER_TOKEN = 3.0
SHORTER = 0.75
ROOM = 0.7
OVERFLOWS = 6
CLIP_CHARS = 2000
DECLINED = ("content_filter", "refusal")


class ReactAgent:
    """One episode of a language model. `native`: by the provider's tool calls; else by the text protocol."""

    name = "react"

    def __init__(self, settings: ReactSettings, model: str, *, native: bool) -> None:
        self.settings, self.native = settings, native
        self.model: str | None = model
        self.version = f"{__version__} ({'tool calls' if native else 'text protocol'})"
        self.declares = settings.declares
        claude = "claude" in model.lower() or "anthropic" in model.lower()
        self._marks = settings.cache_marks == "on" or (settings.cache_marks == "auto" and claude)

    @property
    def tool_schemas(self) -> list[dict[str, Any]]:
        """What the model may call, also where it is told so in words: the trajectory lists it."""
        return tool_schemas(self._forms)

    def begin(self, briefing: Briefing) -> None:
        if briefing.model is None:
            raise UsageError("the react agent needs a model: --model provider/name")
        self._paid: Model = briefing.model
        self._instruction, self._memory = briefing.instruction, briefing.memory
        self._forms = forms(self.settings.tools, briefing.aids)
        self._schemas = tool_schemas(self._forms) if self.native else []
        self._queue: deque[Action] = deque()
        self._history: History | None = None
        self._unread = self._declined = 0
        self._budget = float(self.settings.prompt_tokens)
        self._chars_per_token = CHARS_PER_TOKEN

    def act(self, observation: Observation) -> Action:
        if self._history is None:
            self._history = self._begun(observation)
        else:
            self._history.observed(observation_text(observation, self.settings.observation_chars))
        if self._queue and observation.exit_code != 0:
            for _ in range(len(self._queue)):
                self._history.observed(NOT_EXECUTED)
            self._queue.clear()
        if not self._queue:
            self._queue.extend(self._decide(self._history))
        return self._queue.popleft()

    def usage(self) -> Usage:
        return Usage()

    def _begun(self, first: Observation) -> History:
        task = f"{self._instruction}\n{left_text(first.left)}" if first.left else self._instruction
        system = system_prompt(self._forms, self.settings.guidance, self._memory, native=self.native)
        return History(system, task, window=self.settings.window, block=self.settings.block, native=self.native)

    def _decide(self, history: History) -> list[Action]:
        """Ask, and read the answer. Raises EpisodeOver("format") when too many could not be read."""
        if self._unread >= self.settings.malformed:
            raise EpisodeOver("format", f"{self._unread} answers in a row could not be read as an action")
        reply = self._ask(history)
        history.answered(reply)
        if reply.finish in DECLINED and not reply.calls:
            return [self._refusal(reply)]
        self._declined = 0
        read = native_actions if self.native else text_actions
        actions = read(reply, self._forms)
        self._unread = 0 if any(action.kind != "none" for action in actions) else self._unread + 1
        return actions

    def _refusal(self, reply: Reply) -> Action:
        """Told once; a second refusal in a row ends the episode."""
        self._declined += 1
        if self._declined > 1:
            raise EpisodeOver("format", f"the model declined twice in a row: {clipped(reply.text, 500)}")
        return Action(kind="none", command=REFUSED, thought=reply.text, reasoning=reply.reasoning)

    def _ask(self, history: History) -> Reply:
        """One reply, the request made shorter until it fits. Raises ContextOverflow when nothing can be left out."""
        refused = math.inf
        for _ in range(OVERFLOWS):
            self._fit(history)
            messages = history.messages(marks=self._marks)
            sent = size(messages, self._schemas)
            if sent >= refused:
                break
            self._budget = max(self._budget, min(sent + refused, 2 * sent) / 2 / self._chars_per_token)
            try:
                reply = self._paid.complete(messages, self._schemas, max_output_tokens=self.settings.max_output_tokens)
            except ContextOverflow:
                refused, self._budget = sent, SHORTER * sent / self._chars_per_token
                continue
            self._learn(sent)
            return reply
        raise ContextOverflow(f"the model refuses a request of {refused} characters as too long; nothing more can go")

    def _learn(self, sent: int) -> None:
        """How many characters a token is, by the provider's own count of the last request."""
        counted = self._paid.calls()[-1].input_tokens if self._paid.calls() else 0
        if counted:
            self._chars_per_token = max(0.5, sent / counted)

    def _fit(self, history: History) -> None:
        """When the estimate is over the budget: leave out, then sum up, then cut, until there is room again, so that
        the next requests can grow and keep their beginning. Raises ContextOverflow."""
        if self._tokens(history) <= self._budget:
            return
        while self._tokens(history) > ROOM * self._budget:
            if history.leave_out_more() or self._sum_up(history) or history.clip(CLIP_CHARS):
                continue
            if self._tokens(history) > self.settings.prompt_tokens:
                raise ContextOverflow(
                    f"the task and the last turns take more than {self.settings.prompt_tokens} tokens"
                )
            return

    def _tokens(self, history: History) -> float:
        return size(history.messages(), self._schemas) / self._chars_per_token

    def _sum_up(self, history: History) -> bool:
        """Fold the old turns into a summary; False when there is none to fold."""
        record = history.foldable()
        if not record:
            return False
        room = int(self._budget * self._chars_per_token / 2)
        summary = clipped(record, min(room, SUMMARY_CHARS))
        if self.settings.summary == "model":
            summary = self._model_summary(clipped(record, room)) or summary
        history.fold(summary)
        return True

    def _model_summary(self, record: str) -> str:
        """The model's own words; empty when it gives none or refuses the request as too long."""
        asked = [{"role": "user", "content": ASK_SUMMARY + record}]
        try:
            reply = self._paid.complete(asked, max_output_tokens=self.settings.max_output_tokens)
        except ContextOverflow:
            return ""
        return clipped(reply.text.strip(), SUMMARY_CHARS)
