"""The definitions of the board once more, in plain Python straight from the JSON files. Imports nothing of scoring.

Takes a submissions folder, a season file and the price file, gives rows of the tables as dicts. Slow, one loop a
sentence of the definition, so that test_independent can hold the real thing against it cell by cell.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tree = dict[str, Any]
LETTERS = {"E": "Edit", "V": "View", "S": "Search", "A": "Validate", "U": "Submit"}
LETTERS |= {"P": "Python", "B": "Bash", "M": "Memory", "L": "Literature"}
MODIFYING = ("Edit", "Python", "Bash")


@dataclass
class Entry:
    """A bundle that the ledger includes, our verdicts on its attempts, and what people decided about it."""

    name: str
    tree: Tree
    regraded: dict[tuple[str, int, int], Tree]
    level: str
    reviewed: bool
    included: int

    @property
    def is_run(self) -> bool:
        return self.tree["origin"] == "run"

    def episodes(self, task: str) -> list[Tree]:
        return [e for e in self.tree["episodes"] if e["task"] == task and e["seed"] < 4]


def read_entries(submissions: Path) -> list[Entry]:
    ledger = [json.loads(line) for line in (submissions / "ledger.jsonl").read_text().splitlines()]
    found = []
    for place in sorted(submissions.iterdir()):
        file = place / "bundle.json"
        if not file.is_file():
            continue
        data = file.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        lines = [line for line in ledger if (line["entry"], line["bundle_sha256"]) == (place.name, sha256)]
        if not any(line["kind"] == "inclusion" for line in lines):
            continue
        found.append(_entry(submissions, place.name, json.loads(data), lines))
    return found


def _entry(submissions: Path, name: str, tree: Tree, lines: list[Tree]) -> Entry:
    artifacts = {
        (e["task"], e["seed"], a["index"]): a.get("artifact_sha256") for e in tree["episodes"] for a in e["attempts"]
    }
    regraded: dict[tuple[str, int, int], Tree] = {}
    for line in lines:
        if line["kind"] == "regrade":
            file = submissions / "ledger.d" / f"{line['verdicts_sha256']}.json"
            for one in json.loads(file.read_bytes())["verdicts"]:
                key = (one["task"], one["seed"], one["attempt"])
                if one["verdict"]["split"] == "sealed" and artifacts.get(key) == one["artifact_sha256"]:
                    regraded[key] = one["verdict"]
    ends = [(e["task"], e["seed"], len(e["attempts"]) - 1) for e in tree["episodes"] if e["attempts"]]
    wanted = [key for key in ends if artifacts[key]]
    looked = any(line["kind"] == "regrade" for line in lines)
    whole = looked and all(key in regraded for key in wanted) and tree.get("sandbox") == "docker"
    level = "reported" if tree["origin"] == "import" else "regraded" if whole else "signed"
    for line in lines:
        if line["kind"] == "downgrade" and level == "regraded":
            level = line["level"]
    reviewed = any(line["kind"] == "review" for line in lines)
    return Entry(
        name, tree, regraded, level, reviewed, min(li["sequence"] for li in lines if li["kind"] == "inclusion")
    )


def grade(entry: Entry, episode: Tree, attempt: Tree, metric: str) -> tuple[float, float] | None:
    """Value and standard error of one attempt: published for an import, our regrade's for a run."""
    if not entry.is_run:
        value = (attempt.get("published") or {}).get(metric)
        return None if value is None else (value, 0.0)
    verdict = entry.regraded.get((episode["task"], episode["seed"], attempt["index"]), {})
    value = verdict.get("metrics", {}).get(metric)
    return None if value is None else (value, verdict.get("stderr", {}).get(metric) or 0.0)


def better(a: float, b: float, rule: Tree) -> bool:
    return a > b if rule["direction"] == "max" else a < b


def best(values: list[float | None], rule: Tree) -> float | None:
    known = [value for value in values if value is not None]
    return None if not known else max(known) if rule["direction"] == "max" else min(known)


def snapped(value: float, error: float, rule: Tree) -> float:
    """Within the noise of the baseline a value is the baseline."""
    base, noise = rule.get("baseline"), rule.get("noise")
    if noise is None or base is None or abs(value - base) > max(noise * abs(base), (5 if noise else 3) * error):
        return value
    return float(base)


def cell(entry: Entry, rule: Tree) -> Tree:
    """One entry on one task: four seeds of both kinds of score, and what does not depend on a yardstick."""
    seeds: dict[str, list[float | None]] = {"best": [None] * 4, "last": [None] * 4}
    gaps, one_look, calls, valid = [], [], 0, 0
    for episode in entry.episodes(rule["id"]):
        found = [grade(entry, episode, a, rule["metric"]) for a in episode["attempts"]]
        values = [None if one is None else snapped(*one, rule) for one in found]
        seed, final = episode["seed"], (episode["attempts"] or [{"kind": "none"}])[-1]
        handed = values[-1] if values and (final["kind"] == "submit" or not entry.is_run) else None
        seeds["best"][seed], seeds["last"][seed] = best(values, rule), handed
        graded = sum(a["kind"] == "validate" for a in episode["attempts"])
        own_calls = max(graded, episode["actions"].get("Validate", 0))
        calls += own_calls
        if handed is not None:
            valid += final["kind"] == "submit" or episode["exit_status"] == "success"
            told = (final.get("validation") or {}).get("metrics", {}).get(rule["metric"])
            if told is not None and final["kind"] == "submit":
                gaps.append(handed - told)
            if own_calls <= rule.get("validations", -1):
                one_look.append(handed)
    gap = math.fsum(gaps) / len(gaps) if gaps else None
    look = best([*one_look], rule)
    return {"seeds": seeds, "gap": gap, "one_look": look, "validate_calls": calls, "valid_episodes": valid}


def shift(value: float | None, rule: Tree) -> float | None:
    return (1 + value) / 2 if value is not None and rule.get("transform") == "half-shifted" else value


def log_ratio(value: float | None, reference: float | None, rule: Tree) -> float | None:
    """None: infeasible."""
    base, own, ref = (shift(one, rule) for one in (rule.get("baseline"), value, reference))
    if own is None or ref is None or (base is not None and better(base, own, rule)):
        return None
    if own == 0 and ref == 0:
        return 0.0
    if own <= 0 or ref <= 0:
        return None
    return math.log10(ref / own) if rule["direction"] == "max" else math.log10(own / ref)


def ranks(areas: dict[str, float]) -> dict[str, int]:
    """1 for the largest; neighbours closer than 1e-12 share a rank."""
    ordered = sorted(areas, key=lambda name: -areas[name])
    found: dict[str, int] = {}
    for place, name in enumerate(ordered):
        before = ordered[place - 1]
        found[name] = found[before] if place and areas[before] - areas[name] <= 1e-12 else place + 1
    return found


def borda(scores: dict[str, float | None], rule: Tree) -> dict[str, float]:
    """n + 1 - average rank; missing ones jointly last."""
    worst = -math.inf
    sign = 1 if rule["direction"] == "max" else -1
    good = {name: worst if score is None else sign * score for name, score in scores.items()}
    points = {}
    for name, own in good.items():
        above = sum(other > own for other in good.values())
        same = sum(other == own for other in good.values())
        points[name] = len(good) + 1 - (above + (same + 1) / 2)
    return points


def reading(rules: list[Tree], entries: list[Entry], tau_max: float, ranked: set[str], *, frozen: bool) -> Tree:
    """Rows of board and task_scores by (score, entry) and (score, entry, task); an exact AUP against one yardstick."""
    cells = {(e.name, rule["id"]): cell(e, rule) for e in entries for rule in rules}
    board: Tree = {}
    scores: Tree = {}
    references: Tree = {}
    for kind in ("best", "last"):
        names = [e.name for e in entries]
        parts: dict[str, list[float]] = defaultdict(list)
        points: dict[str, float] = defaultdict(float)
        for rule in rules:
            base = rule.get("baseline")
            seeds = {name: cells[name, rule["id"]]["seeds"][kind] for name in names} | {"baseline": [base] * 4}
            value = {name: best(own, rule) for name, own in seeds.items()}
            usable = [one for one in value.values() if one is not None and shift(one, rule) >= 0]  # type: ignore[operator]
            reference = rule.get("reference") if frozen else best([*usable], rule)
            logs = {name: log_ratio(one, reference, rule) for name, one in value.items()}
            if frozen:
                at_base = log_ratio(base, reference, rule)
                penalty = tau_max if at_base is None else at_base + math.log10(1.05)
            else:
                penalty = max((one for one in logs.values() if one is not None), default=0.0) + math.log10(1.05)
            references[kind, rule["id"]] = reference
            for name, won in borda(value, rule).items():
                points[name] += won
            for name, log in logs.items():
                part = max(0.0, tau_max - (penalty if log is None else log)) / len(rules)
                parts[name].append(part)
                known = [one for one in seeds[name] if one is not None]
                mean = math.fsum(known) / len(known) if known else None
                square = math.fsum((one - mean) ** 2 for one in known) if mean is not None else 0.0
                scores[kind, name, rule["id"]] = {
                    "value": value[name],
                    "seeds": seeds[name],
                    "mean": mean,
                    "stderr": math.sqrt(square / (len(known) - 1) / len(known)) if len(known) > 1 else None,
                    "log10_ratio": penalty if log is None else log,
                    "feasible": log is not None,
                    "beats_baseline": None if value[name] is None or base is None else better(value[name], base, rule),
                    "contribution": part,
                } | {key: own for key, own in cells.get((name, rule["id"]), {}).items() if key != "seeds"}
        areas = {name: math.fsum(own) for name, own in parts.items()}
        place = ranks({name: areas[name] for name in ranked})
        without = [ranks({name: areas[name] - parts[name][task] for name in ranked}) for task in range(len(rules))]
        for name in (*names, "baseline"):
            board[kind, name] = {
                "aup": areas[name],
                "rank": place.get(name),
                "borda": points[name],
                "leave_one_out_low": min(out[name] for out in without) if name in ranked else None,
                "leave_one_out_high": max(out[name] for out in without) if name in ranked else None,
                "valid_episodes": sum(cells[name, r["id"]]["valid_episodes"] for r in rules) if name in names else 0,
            }
    return {"board": board, "task_scores": scores, "references": references}


def price(model: str | None, day: str, table: Tree) -> Tree | None:
    known = [one for one in table["prices"] if model in one["models"] and one["since"] <= day]
    return max(known, key=lambda one: one["since"], default=None)


def cost(entry: Entry, tasks: set[str], day: str, table: Tree) -> float | None:
    """USD an episode that has tokens; None: not known."""
    used = [e["usage"] for e in entry.tree["episodes"] if e["task"] in tasks and e["seed"] < 4]
    priced = [one for one in used if one["api_calls"] or one["input_tokens"]]
    model = entry.tree["entry"].get("model")
    if model is None:
        return None if priced else 0.0
    own = price(model, day, table)
    if own is None or not priced:
        return None
    total = {key: sum(one[key] for one in used) for key in ("cached_tokens", "cache_write_tokens", "output_tokens")}
    plain = sum(max(0, u["input_tokens"] - u["cached_tokens"] - u["cache_write_tokens"]) for u in used)
    usd = plain * own["input_usd"] + total["output_tokens"] * own["output_usd"]
    usd += total["cached_tokens"] * own.get("cached_usd", own["input_usd"])
    usd += total["cache_write_tokens"] * own.get("cache_write_usd", own["input_usd"])
    return float(usd / 1e6 / len(priced))


def frontier(points: dict[str, tuple[float | None, float | None]]) -> set[str]:
    """Whom nobody betters in cost and AUP at once."""
    known = {name: (c, a) for name, (c, a) in points.items() if c is not None and a is not None}
    return {
        name
        for name, (c, a) in known.items()
        if not any(oc <= c and oa >= a and (oc, oa) != (c, a) for oc, oa in known.values())
    }


def deciles(entry: Entry) -> dict[tuple[int, str], int]:
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for episode in entry.tree["episodes"]:
        trace = episode.get("trace") or ""
        for step, letter in enumerate(trace, start=1):
            if letter in LETTERS:
                counts[10 * (step - 1) // len(trace) + 1, LETTERS[letter]] += 1
    return dict(counts)


def not_ranked(entries: list[Entry], rules: list[Tree]) -> set[str]:
    """Runs that are shown without a rank."""
    copied = copies(entries, rules)
    out = set()
    for e in entries:
        whole = sum(len(e.episodes(rule["id"])) for rule in rules) == 4 * len(rules)
        held = any(
            one and better(one[0], rule["reference"], rule)
            for rule in rules
            if rule.get("public_labels")
            for episode in e.tree["episodes"]
            if episode["task"] == rule["id"]
            for one in (grade(e, episode, a, rule["metric"]) for a in episode["attempts"])
        )
        fine = e.tree["profile"] == "official" and whole and e.level == "regraded" and (e.reviewed or not held)
        if not fine or e.name in copied:
            out.add(e.name)
    return out


def copies(entries: list[Entry], rules: list[Tree]) -> set[str]:
    """Who hands in, with a gain, an artifact that somebody else's run handed in before."""
    owners: dict[tuple[str, str], list[tuple[int, str, str]]] = defaultdict(list)
    for e in entries:
        for rule in rules:
            for episode in [one for one in e.tree["episodes"] if one["task"] == rule["id"]]:
                for attempt in episode["attempts"]:
                    one = grade(e, episode, attempt, rule["metric"])
                    if one and _gains(*one, rule):
                        key = (rule["id"], attempt["artifact_sha256"])
                        owners[key].append((e.included, e.tree["submitter"], e.name))
    return {name for own in owners.values() for _, submitter, name in own if submitter != min(own)[1]}


def _gains(value: float, error: float, rule: Tree) -> bool:
    """Better than the baseline by more than noise and three standard errors."""
    base = rule["baseline"]
    return better(value, base, rule) and snapped(value, error, rule | {"noise": rule.get("noise", 0.0)}) != base


def read_toml(file: Path) -> Tree:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def flags(entry: Entry, rules: list[Tree]) -> set[tuple[str, str, str, int]]:
    """(entry, flag, task, seed) of everything that a reader should look at twice."""
    found = set()
    for episode in entry.tree["episodes"]:
        rule = next((rule for rule in rules if rule["id"] == episode["task"]), None)
        about = (episode["task"], episode["seed"])
        found |= {(entry.name, "do-nothing", *about)} if _did_nothing(entry, episode) else set()
        for attempt in episode["attempts"] if rule and entry.is_run else []:
            one = grade(entry, episode, attempt, rule["metric"])
            if one:
                found |= {(entry.name, flag, *about) for flag in _odd(one, attempt, rule)}
    return found


def _did_nothing(entry: Entry, episode: Tree) -> bool:
    actions = episode["actions"]
    recorded = episode.get("trace") is not None or any(actions.values())
    scored = any(
        a.get("published") or entry.regraded.get((episode["task"], episode["seed"], a["index"]), {}).get("metrics")
        for a in episode["attempts"]
    )
    return recorded and scored and not any(actions.get(kind) for kind in MODIFYING)


def _odd(one: tuple[float, float], attempt: Tree, rule: Tree) -> set[str]:
    value, error = one
    metric, found = rule["metric"], set()
    gain = value - rule["reference"] if rule["direction"] == "max" else rule["reference"] - value
    public = rule.get("public_labels", False)
    if gain > (0.0 if public else 3 * error) and (public or rule["reference"] != rule.get("baseline")):
        found.add("beyond-reference")
    told = (attempt.get("validation") or {}).get("metrics", {}).get(metric)
    if told is not None:
        noise = attempt["validation"]["stderr"].get(metric)
        allowed = 4 * math.hypot(error, noise or 0.0)
        if not error or noise is None:
            allowed = max(allowed, 0.1 * max(abs(told), abs(rule.get("baseline") or 0.0)))
        found |= {"far-from-validation"} if abs(value - told) > allowed else set()
    claim = (attempt.get("sealed") or {}).get("metrics", {}).get(metric)
    if claim is not None:
        noise, tolerance = attempt["sealed"]["stderr"].get(metric, 0.0), rule.get("tolerance", 0.0)
        allowed = tolerance
        if rule.get("sampled"):
            allowed = max(4 * math.hypot(error, min(noise, error)), tolerance * abs(value))
        found |= {"claim-differs"} if abs(value - claim) > allowed else set()
    for trivial in rule.get("trivial", []):
        spread = trivial.get("stderr")
        allowed = 1e-9 if spread is None else max(1e-9, math.hypot(error, spread))
        found |= {"trivial-score"} if abs(value - trivial["value"]) <= allowed else set()
    return found
