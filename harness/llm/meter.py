"""The metered model of an episode: reserves, asks, journals, settles, and answers from the journal what it paid for.

Takes a ModelPlan, the run's ledger and a price; gives each episode its Model. Retries on rate limits and overload,
Retry-After honoured by every process of the run, within the episode's time. A request that went out and was not
answered may have been paid: it is booked at the most that it can have cost, recorded as lost, and asked again at most
twice. A provider that refuses its own unsigned reasoning back is asked without it, from then on. Never asks for what
the journal holds, when the answer could pass a limit, or when it could not be written down.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.clock import now
from harness.errors import EpisodeOver, ModelUnavailable, RequestRefused, RunSpent, UsageError, in_words
from harness.files import Kept, nothing_more
from harness.llm.base import Message, ModelPlan, ToolSchema, demand_plain
from harness.llm.journal import Journal
from harness.llm.provider import Answer, Busy, Lost, Request, Unreached, ask, check, library, request_sha256
from harness.llm.returned import UNSIGNED, has_unsigned, without_unsigned
from harness.llm.spending import Books, Ledger
from harness.schema.calls import JournalLine, ModelCall, Reply
from harness.schema.episode import Usage
from harness.schema.prices import Price, load_prices
from harness.telemetry.event import Facts, Timed, untimed

BUSY_TRIES, LOST_TRIES, UNREACHED_TRIES = 10, 2, 3
PATIENT_TRIES = 8
"""Of a server that has answered before and cannot be reached now: two minutes, in which it may be restarted."""
LONGEST_WAIT_S = 60.0
ANSWER_S = 1200.0
LANDING_S = 5.0
FIRST_TOKENS_PER_BYTE, LEAST_TOKENS_PER_BYTE = 0.5, 0.25
"""Before the provider has counted anything; and what no count can lower it to: after a picture comes a text."""
MARGIN = 1.25
Send = Callable[[ModelPlan, Request, float], Answer]
"""Asks a provider once, with so many seconds for the answer; provider.ask, or another that raises the same."""


class Models:
    """The model of a run. `books` None: the file in the run's folder. Raises UsageError: no provider of that name, no
    key, no price."""

    def __init__(self, plan: ModelPlan, folder: Path, day: str, books: Books | None = None) -> None:
        check(plan)
        self.plan, self.price = plan, price_of(plan, day)
        self.ledger: Books = books or Ledger(folder, plan.run_cost_usd)
        self.answered = False

    def load(self) -> None:
        """Have ready what asks the provider: an import of seconds, which belong to no episode."""
        library()

    def limit_usd(self, task_limit_usd: float) -> float:
        """What one episode of a task may cost: the smaller of the task's own limit and the plan's."""
        own = self.plan.episode_cost_usd
        return task_limit_usd if own is None else min(own, task_limit_usd)

    def open(
        self,
        key: str,
        folder: Path,
        task_limit_usd: float,
        time_left: Callable[[], float],
        kept: Kept = nothing_more,
    ) -> Meter:
        """The model of episode `key`, whose journal is in `folder`; `time_left` gives seconds; `kept` as in Journal."""
        return Meter(self, key, Journal(folder, kept), self.limit_usd(task_limit_usd), time_left)


def price_of(plan: ModelPlan, day: str) -> Price:
    """The declared price, or the table's of that day. Raises UsageError: without one no cost limit can be kept."""
    price = plan.price or load_prices().find(plan.name, day)
    if price is None:
        near = get_close_matches(plan.name, [name for known in load_prices().prices for name in known.models], 1)
        raise UsageError(
            f"{plan.name} has no price on {day}, and every episode has a cost limit; "
            + (f"did you mean {near[0]}? Or " if near else "")
            + "declare one in USD per million "
            "tokens, --price INPUT,OUTPUT[,CACHED[,CACHE_WRITE]] (0,0 for a model of your own), or extend prices.toml"
        )
    return price


@contextmanager
def _written() -> Iterator[None]:
    """What cannot be written down may not be paid: the episode then stays unfinished, like one without a model."""
    try:
        yield
    except OSError as error:
        raise ModelUnavailable(f"no answer can be kept: {in_words(error)}") from error


class Meter:
    """One model within one episode. Safe across threads. `over`: the limit that a call met; no other call is made.
    `timed`: told of each answer that is asked for, its retries included."""

    def __init__(
        self,
        models: Models,
        key: str,
        journal: Journal,
        limit_usd: float,
        time_left: Callable[[], float],
        send: Send = ask,
    ) -> None:
        self.name, self.limit_usd = models.plan.name, limit_usd
        self._models = models
        self._plan, self._price, self._ledger = models.plan, models.price, models.ledger
        self._key, self._journal, self._time_left = key, journal, time_left
        self._tokens_per_byte = FIRST_TOKENS_PER_BYTE
        self._counted = False
        self._unsigned = True
        self._send = send
        self.over: EpisodeOver | None = None
        self.timed: Timed = untimed
        self._ended = False
        self._others: list[Meter] = []
        self._flying: dict[str, ModelCall] = {}
        self._lock = threading.Lock()
        self._landed = threading.Condition(self._lock)
        self._heal()

    def beside(self, models: Models, send: Send) -> Meter:
        """Another model within the same episode: one journal, one limit. Before anything is asked."""
        other = Meter(models, self._key, self._journal, self.limit_usd, self._time_left, send)
        other._lock, other._landed, other._flying = self._lock, self._landed, self._flying
        other.timed = self.timed
        self._others.append(other)
        return other

    def _heal(self) -> None:
        """After a kill: settle what the journal holds, and book what was in flight as lost."""
        for line in self._journal.unused:
            self._ledger.settle(line.id, line.call.cost_usd or 0.0, now(), line.call.request_sha256)
        for open_ in self._ledger.left_open(self._key):
            call = self._call(open_.request_sha256, open_.time, 0.0, Usage(), open_.usd, retries=0, lost=True)
            self._journal.append(JournalLine(id=open_.id, call=call, reply=Reply(finish="lost")), used=False)
            self._ledger.settle(open_.id, open_.usd, now(), open_.request_sha256)

    def calls(self) -> Sequence[ModelCall]:
        """The calls that led to the actions so far, in order."""
        return self._journal.used

    def paid(self) -> Sequence[ModelCall]:
        """Every call of the episode, also those whose answers a resumed agent did not ask for again."""
        return self._journal.calls

    @property
    def asking(self) -> bool:
        """Whether a call is on its way, for any thread."""
        return bool(self._flying)

    @property
    def left_usd(self) -> float:
        """Of the episode's own limit, by the calls so far."""
        return round(max(0.0, self.limit_usd - sum(call.cost_usd or 0.0 for call in self._journal.used)), 9)

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema] = (),
        *,
        max_output_tokens: int | None = None,
        params: Mapping[str, Any] = MappingProxyType({}),
    ) -> Reply:
        """See harness.llm.base.Model."""
        return self.answer(messages, tools, max_output_tokens=max_output_tokens, params=params).reply

    def answer(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema] = (),
        *,
        max_output_tokens: int | None = None,
        params: Mapping[str, Any] = MappingProxyType({}),
    ) -> JournalLine:
        """As complete, with the call's measure beside the reply."""
        most = self._plan.max_output_tokens if max_output_tokens is None else max_output_tokens
        demand_plain(tools, params)
        request = Request(self.name, messages, tools, most, {**self._plan.params, **params})
        encoded = request.encoded()
        sha256 = request_sha256(encoded)
        with self._lock:
            line = self._journal.take(sha256)
        if line is not None:
            return line
        with _written(), self.timed("model", model=self.name, max_output_tokens=request.max_output_tokens) as facts:
            line = self._ask(request, len(encoded), sha256)
            facts |= _facts(line)
            return line

    def _ask(self, request: Request, size: int, sha256: str) -> JournalLine:
        busy = lost = unreached = 0
        sent = request if self._unsigned else replace(request, messages=without_unsigned(request.messages))
        while True:
            self._sit_out()
            worst = self._worst_usd(size, request.max_output_tokens)
            name = self._reserve(worst, sha256)
            started, begun = now(), time.monotonic()
            try:
                answer = self._send(self._plan, sent, min(ANSWER_S, max(1.0, self._time_left())))
            except Busy as error:
                self._unpaid(name, sha256)
                busy += 1
                if error.retry_after_s is not None:
                    self._ledger.hold(self.name, error.retry_after_s)
                self._wait(busy, BUSY_TRIES, error, error.retry_after_s)
            except Unreached as error:
                self._unpaid(name, sha256)
                unreached += 1
                self._wait(unreached, PATIENT_TRIES if self._was_there() else UNREACHED_TRIES, error)
            except Lost as error:
                call = self._call(
                    sha256, started, time.monotonic() - begun, Usage(), worst, busy + unreached, lost=True
                )
                self._book(name, call, Reply(finish="lost"))
                lost += 1
                self._wait(lost, LOST_TRIES, error)
            except RequestRefused as error:
                self._unpaid(name, sha256)
                if sent is not request or UNSIGNED not in str(error) or not has_unsigned(request.messages):
                    raise
                sent = replace(request, messages=without_unsigned(request.messages))
            except (EpisodeOver, ModelUnavailable):
                self._unpaid(name, sha256)
                raise
            else:
                self._models.answered = True
                self._unsigned = self._unsigned and sent is request
                cost = self._cost_usd(answer, size, worst)
                call = self._call(sha256, started, time.monotonic() - begun, answer.usage, cost, busy + unreached)
                return self._book(name, call, answer.reply)

    def _was_there(self) -> bool:
        """Whether the model has answered this process, or somebody's answer was paid in this run."""
        return self._models.answered or self._ledger.spent_usd() > 0

    def _sit_out(self) -> None:
        """Wait while the provider wants no request, whichever process of the run it said so to."""
        while (wait := self._ledger.held_s(self.name)) > 0:
            self._sleep(wait * random.uniform(1.0, 1.1), "its provider asked the run to wait")

    def _reserve(self, worst: float, sha256: str) -> str:
        """The id of a call that may now be made. While another call of this episode holds what is left, wait for it.
        Raises EpisodeOver, and from then on always.
        """
        while True:
            with self._lock:
                self._demand_open()
                self._journal.demand_room()
                started = now()
                try:
                    name = self._ledger.reserve(self._key, worst, self.limit_usd, started, sha256)
                except EpisodeOver as over:
                    if isinstance(over, RunSpent) or not self._flying:
                        self.over = over
                        raise
                else:
                    self._flying[name] = self._call(sha256, started, 0.0, Usage(), worst, retries=0, lost=True)
                    return name
                self._landed.wait(min(LANDING_S, self._time_left()))

    def _demand_open(self) -> None:
        if self._ended:
            raise EpisodeOver("runtime", "the episode has ended; its model answers nobody any more")
        if self.over is None and self._time_left() <= 0:
            self.over = EpisodeOver("wall_time", "the episode's time was over before the model was asked")
        if self.over is not None:
            raise self.over

    def _unpaid(self, name: str, sha256: str) -> None:
        self._land(name)
        self._ledger.settle(name, 0.0, now(), sha256)

    def _land(self, name: str) -> bool:
        """Whether the call was still in flight, and nobody booked it meanwhile."""
        with self._lock:
            self._landed.notify_all()
            return self._flying.pop(name, None) is not None

    def end(self) -> None:
        """No more calls. What is in flight, for a thread that was left behind, is booked as lost."""
        with self._lock:
            for meter in (self, *self._others):
                meter._ended = True
            flying = dict(self._flying)
            self._flying.clear()
            lines = [
                JournalLine(
                    id=name,
                    call=call.model_copy(update={"index": len(self._journal.calls) + at}),
                    reply=Reply(finish="lost"),
                )
                for at, (name, call) in enumerate(flying.items())
            ]
            for line in lines:
                self._journal.append(line)
            self._landed.notify_all()
        for line in lines:
            self._ledger.settle(line.id, line.call.cost_usd or 0.0, now(), line.call.request_sha256)

    def _worst_usd(self, size: int, max_output_tokens: int) -> float:
        """The most that a request of `size` bytes can cost: nothing cached, all written to the cache, a full answer."""
        dearest = max(self._price.input_usd, self._price.cache_write_usd or 0.0)
        return (size * self._tokens_per_byte * dearest + max_output_tokens * self._price.output_usd) / 1e6

    def _cost_usd(self, answer: Answer, size: int, worst: float) -> float:
        """By the price; a provider that counts nothing is booked at the most. Learns how many tokens a byte is."""
        if not answer.counted:
            return worst
        if answer.usage.input_tokens:
            with self._lock:
                seen = min(1.0, max(LEAST_TOKENS_PER_BYTE, MARGIN * answer.usage.input_tokens / size))
                self._tokens_per_byte = max(seen, self._tokens_per_byte if self._counted else 0.0)
                self._counted = True
        return self._price.cost_usd(answer.usage)

    def _call(
        self, sha256: str, started: str, took_s: float, usage: Usage, cost: float, retries: int, *, lost: bool = False
    ) -> ModelCall:
        return ModelCall(
            index=len(self._journal.calls),
            model=self.name,
            request_sha256=sha256,
            started=started,
            duration_s=round(took_s, 6),
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            cost_usd=cost,
            retries=retries,
            lost=lost,
        )

    def _book(self, name: str, call: ModelCall, reply: Reply) -> JournalLine:
        """Journal first: what the ledger lacks after a kill, the journal tells it."""
        with self._lock:
            if self._flying.pop(name, None) is None:
                raise EpisodeOver("runtime", "the answer came after the episode's end, which booked it as lost")
            self._landed.notify_all()
            call = call.model_copy(update={"index": len(self._journal.calls)})
            line = JournalLine(id=name, call=call, reply=reply)
            self._journal.append(line)
        self._ledger.settle(name, call.cost_usd or 0.0, now(), call.request_sha256)
        return line

    def _wait(self, tries: int, most: int, error: Exception, retry_after_s: float | None = None) -> None:
        """Sleep before another try: as long as the provider wishes, else 1, 2, 4, ... seconds and a little chance."""
        if tries > most:
            raise ModelUnavailable(f"given up after {tries} tries: {error}")
        wait = min(LONGEST_WAIT_S, 2.0 ** (tries - 1)) * random.uniform(1.0, 1.25)
        self._sleep(wait if retry_after_s is None else retry_after_s, error)

    def _sleep(self, wait: float, why: object) -> None:
        if wait >= self._time_left():
            raise EpisodeOver(
                "wall_time", f"the model can be asked again in {wait:.0f} s, after the episode's end: {why}"
            )
        time.sleep(wait)

    def close(self) -> None:
        self.end()
        self._journal.close()


def _facts(line: JournalLine) -> Facts:
    """What a log keeps of an answer: its measure, never a word of it."""
    counts = {name: count for name in Usage.model_fields if (count := getattr(line.call, name, None))}
    cost = line.call.cost_usd
    return {"finish": line.reply.finish, "cost_usd": cost, "retries": line.call.retries or None, **counts}
