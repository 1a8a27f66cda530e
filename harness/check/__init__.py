"""Check: whether a bundle follows the rules of the board.

Takes a bundle folder and the tasks, gives every Problem at once, each with the code of its rule. Errors keep an entry
out; warnings say what it can become at best. Never holds a signature to its bytes (harness.verify does) and never
executes anything of the bundle.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.check import aids, authors, countersign, evidence, identity, season, secrets, trace
from harness.check.rule import RULES, Rule, Subject
from harness.errors import Problem, SchemaError, VerificationError
from harness.payload import AttemptKey
from harness.schema.bundle import Bundle
from harness.schema.declares import declared
from harness.schema.task import load_tasks, tasks_root
from harness.signing import BUNDLE
from harness.verify import read_bundle, verify_contents

__all__ = [
    "RULES",
    "Rule",
    "aids",
    "authors",
    "check",
    "countersign",
    "declarations",
    "evidence",
    "identity",
    "season",
    "secrets",
    "summary",
    "trace",
]


def check(
    bundle_folder: Path,
    *,
    root: Path | None = None,
    season_tasks: Sequence[str] | None = None,
    board: Path | None = None,
) -> list[Problem]:
    """Every problem of a bundle, by rule; empty when there is none.

    `root` holds the task folders; `season_tasks` are the tasks that an official bundle must have (all tasks by
    default); `board` is the folder of published entries, for what others handed in before. A bundle that cannot be
    read has one problem a fault, and no rule is tried.
    """
    try:
        bundle = Bundle.from_json(read_bundle(bundle_folder), subject=BUNDLE)
    except SchemaError as error:
        return [Problem(fault.path, f"GB001 {fault.message}") for fault in error.problems]
    except VerificationError as error:
        return [Problem(BUNDLE, f"GB002 {error}")]
    problems, held = _contents(bundle_folder, bundle)
    folders = root or tasks_root()
    tasks = load_tasks(folders)
    subject = Subject(bundle_folder, bundle, tasks, folders, tuple(sorted(season_tasks or tasks)), held, board)
    rules = [rule for rule in RULES.values() if rule.imports or bundle.origin == "run"]
    return problems + [problem for rule in rules for problem in rule.problems(subject)]


def declarations(bundle_folder: Path) -> list[tuple[str, str]]:
    """What the bundle declares that its agent was given, and what that means; nothing of one that cannot be read."""
    try:
        return declared(Bundle.from_json(read_bundle(bundle_folder), subject=BUNDLE).declares)
    except (SchemaError, VerificationError):
        return []


def summary(problems: Sequence[Problem]) -> tuple[str, int]:
    """The last line of a check, and the exit code that it agrees with: 1 when there is an error."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    counted = f"{errors} error(s), {warnings} warning(s)"
    return (f"not acceptable: {counted}", 1) if errors else (f"acceptable: {counted}", 0)


def _contents(folder: Path, bundle: Bundle) -> tuple[list[Problem], frozenset[AttemptKey] | None]:
    """What the folder holds; parts are read without being trusted."""
    try:
        return [], verify_contents(folder).held
    except VerificationError as error:
        return [Problem("payload" if bundle.payload else BUNDLE, f"GB002 {error}")], None
