"""The rules of the board: each one broken alone, by a bundle that is otherwise in order."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.check import RULES, check, summary
from harness.check.page import rules_page
from harness.check.pull import PULL_RULES
from harness.errors import Problem
from tests.harness.sign.builder import Signed

ROOT = Path(__file__).resolve().parents[3]
Tree = dict[str, Any]


def found(signed: Signed, **more: Any) -> list[Problem]:
    return check(signed.folder, root=signed.tasks, **more)


def codes(problems: list[Problem], severity: str = "error") -> list[str]:
    return [problem.message.split()[0] for problem in problems if problem.severity == severity]


def test_an_honest_smoke_bundle_is_acceptable_and_never_ranked(signed: Signed) -> None:
    problems = found(signed)
    assert [str(problem) for problem in problems] == [
        "warning: profile: GB203 is smoke: never ranked (rules-codes.md#gb203)"
    ]
    assert summary(problems) == ("acceptable: 0 error(s), 1 warning(s)", 0)


def attempt(number: int, index: int, **fields: Any) -> Callable[[Tree], None]:
    return lambda tree: tree["episodes"][number]["attempts"][index].update(fields)


def episode(number: int, **fields: Any) -> Callable[[Tree], None]:
    return lambda tree: tree["episodes"][number].update(fields)


def every_episode(**fields: Any) -> Callable[[Tree], None]:
    return lambda tree: [episode.update(fields) for episode in tree["episodes"]].clear()


def sealed(number: int, index: int, **fields: Any) -> Callable[[Tree], None]:
    return lambda tree: tree["episodes"][number]["attempts"][index]["sealed"].update(fields)


def without_sealed(tree: Tree) -> None:
    del tree["episodes"][0]["attempts"][0]["sealed"]


def stated_seed_gone(tree: Tree) -> None:
    del tree["episodes"][0]["attempts"][2]["sealed"]["seed"]


def refused_with_verdict(tree: Tree) -> None:
    refused = tree["episodes"][1]["attempts"][1]
    refused["sealed"] = tree["episodes"][0]["attempts"][2]["sealed"]


def better_claim_on_an_artifact_that_is_not_there(tree: Tree) -> None:
    tree["episodes"][0]["attempts"][0]["sealed"]["metrics"]["score"] = 4.9


def longer(tree: Tree) -> None:
    """Stated longer than the task allows; the trace then cannot agree with the payload."""
    tree["episodes"][2].update(steps=51, trace="B" * 51, actions={"Bash": 51})


def official(tree: Tree) -> None:
    tree["profile"] = "official"
    for one in tree["episodes"]:
        one["profile"] = "official"


# episodes: 0 tiny-play/seed-0, 1 tiny-play/seed-1, 2 tiny-predictions/seed-0, 3 tiny-predictions/seed-1
BROKEN: list[tuple[str, str, Callable[[Tree], None]]] = [
    ("GB101", "entry.id", lambda tree: tree["entry"].update(id="another")),
    ("GB102", "suite_version", lambda tree: tree.update(suite_version="0.9.0")),
    ("GB104", "episodes[0].task_version", episode(0, task_version="0.9.0")),
    ("GB105", "tasks_sha256.tiny-play", lambda tree: tree["tasks_sha256"].update({"tiny-play": "0" * 64})),
    ("GB105", "tasks_sha256.tiny-play", lambda tree: tree["tasks_sha256"].pop("tiny-play")),
    ("GB106", "episodes[0].attempts[0].sealed.grader_version", sealed(0, 0, grader_version="0.9.0")),
    ("GB107", "images.cpu", lambda tree: tree.update(images={})),
    ("GB107", "images.cpu", lambda tree: tree.update(images={"cpu": "gymboard/cpu:latest"})),
    ("GB108", "hardware", lambda tree: tree.pop("hardware")),
    ("GB205", "episodes[2].steps", longer),
    ("GB205", "episodes[2].attempts[1].step", attempt(2, 1, step=40)),
    ("GB206", "episodes[0].usage.reported_cost_usd", episode(0, usage={"reported_cost_usd": 4.5})),
    ("GB207", "episodes[3].usage.wall_s", episode(3, usage={"wall_s": 9000.0})),
    ("GB208", "entry.model", episode(0, usage={"input_tokens": 5})),
    ("GB301", "episodes[0].attempts[0]", better_claim_on_an_artifact_that_is_not_there),
    ("GB302", "episodes[1].attempts[1]", refused_with_verdict),
    ("GB302", "episodes[0].attempts[2]", attempt(0, 2, refused="too large")),
    ("GB304", "episodes[0].attempts[0].sealed", sealed(0, 0, split="validation")),
    ("GB304", "episodes[2].attempts[1].sealed", sealed(2, 1, metrics={"rmse": 0.75, "aup": 9.9})),
    ("GB304", "episodes[2].attempts[1].sealed", sealed(2, 1, metrics={"rmse": -0.75})),
    ("GB304", "episodes[0].attempts[2].sealed", sealed(0, 2, stderr={})),
    ("GB209", "episodes", every_episode(variant="buggy")),
    ("GB209", "episodes", every_episode(dataset="other")),
    ("GB304", "episodes[0].attempts[2].sealed", stated_seed_gone),
    ("GB305", "episodes[3].exit_status", episode(3, exit_status="success")),
    ("GB305", "episodes[0].exit_status", attempt(0, 2, kind="validate")),
    ("GB306", "episodes[2]", attempt(2, 0, published={"rmse": 0.1})),
    ("GB306", "(document)", lambda tree: tree.update(citation={"title": "t", "url": "https://a.org", "licence": "l"})),
    ("GB309", "episodes[0].trace", lambda tree: tree["episodes"][0].pop("trace")),
    ("GB309", "episodes[0].trace", episode(0, trace="EAAU", actions={"Edit": 1, "Validate": 2, "Submit": 1})),
    ("GB309", "episodes[1].trace", episode(1, trace="BABU")),
    ("GB309", "episodes[3].trace", episode(3, trace="BBB", actions={"Bash": 3}, steps=3)),
    ("GB310", "(document)", episode(3, exit_detail="ask ada@analytical-engine.org")),
    ("GB311", "declares", lambda tree: tree.update(declares=["memory-shared"])),
    ("GB311", "declares", lambda tree: tree.update(declares=["literature", "memory-shared"])),
    ("GB307", "payload", lambda tree: tree["payload"][0].update(size_bytes=2 << 20)),
]


@pytest.mark.parametrize(("code", "path", "change"), BROKEN, ids=[f"{c}-{p}" for c, p, _ in BROKEN])
def test_each_rule_is_broken_alone(signed: Signed, code: str, path: str, change: Callable[[Tree], None]) -> None:
    signed.rewrite(change)
    errors = [problem for problem in found(signed) if problem.severity == "error"]
    mine = [problem for problem in errors if problem.message.startswith(code)]
    assert [problem.path for problem in mine] == [path]
    assert mine[0].message.endswith(f"(rules-codes.md#{code.lower()})")
    assert {problem.message.split()[0] for problem in errors} <= {
        code,
        "GB002",
        *(["GB309"] if change is longer else []),
    }
    assert summary(errors) == (f"not acceptable: {len(errors)} error(s), 0 warning(s)", 1)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("GB109", lambda tree: tree.update(submitter="local")),
        ("GB204", lambda tree: tree.update(sandbox="local")),
        ("GB303", without_sealed),
    ],
)
def test_warnings_say_what_it_can_become_and_keep_nothing_out(signed: Signed, code: str, change: Any) -> None:
    signed.rewrite(change)
    problems = found(signed)
    assert codes(problems) == []
    assert sorted(codes(problems, "warning")) == sorted(["GB203", code])


@pytest.mark.parametrize(("letter", "action", "word"), [("M", "Memory", "memory"), ("L", "Literature", "literature")])
def test_an_aid_that_was_used_is_declared(signed: Signed, letter: str, action: str, word: str) -> None:
    """The trace is then another than the payload's, which is GB309's concern."""
    signed.rewrite(episode(1, trace=f"B{letter}BU", actions={"Bash": 2, action: 1, "Submit": 1}, steps=4))
    assert "GB311" in codes(found(signed))
    signed.rewrite(lambda tree: tree.update(declares=[word]))
    assert "GB311" not in codes(found(signed))


def test_an_unknown_task_is_one_problem_an_episode(signed: Signed, tmp_path: Path) -> None:
    (signed.tasks / "tiny-play").rename(tmp_path / "gone")
    assert codes(found(signed)) == ["GB103", "GB103"]


def test_official_bundles_have_four_seeds_of_every_task_and_are_partial_without_one(signed: Signed) -> None:
    signed.rewrite(official)
    problems = found(signed, season_tasks=["tiny-play", "tiny-predictions", "mnli"])
    assert [(problem.severity, problem.message) for problem in problems] == [
        ("error", "GB201 tiny-play lacks seed 2, 3 (rules-codes.md#gb201)"),
        ("error", "GB201 tiny-predictions lacks seed 2, 3 (rules-codes.md#gb201)"),
        ("warning", "GB210 lack mnli: shown as partial, never ranked (rules-codes.md#gb210)"),
    ]


def test_a_fifth_try_is_no_seed_of_the_season(signed: Signed) -> None:
    def change(tree: Tree) -> None:
        official(tree)
        tree["episodes"][3]["seed"] = 4

    signed.rewrite(change)
    assert "GB202" in codes(found(signed))


def test_every_fault_of_a_document_is_listed_and_nothing_raises(signed: Signed) -> None:
    file = signed.folder / "bundle.json"
    file.write_bytes(file.read_bytes().replace(b'"profile": "smoke"', b'"profile": "huge"', 2) + b" ")
    problems = found(signed)
    assert set(codes(problems)) == {"GB001"} and len(problems) >= 2
    file.write_bytes(b"\xff")
    assert codes(found(signed)) == ["GB001"]
    file.unlink()
    assert codes(found(signed)) == ["GB002"]


def test_broken_contents_do_not_hide_broken_rules(signed: Signed) -> None:
    signed.rewrite(lambda tree: tree.update(suite_version="0.9.0"))
    (signed.folder / "notes.txt").write_text("x")
    assert codes(found(signed)) == ["GB002", "GB102"]


def test_the_page_of_rules_is_current_and_every_code_is_on_it() -> None:
    page = (ROOT / "site/docs/rules-codes.md").read_text(encoding="utf-8")
    assert page == rules_page(), "run: python -m harness.check.page site/docs/rules-codes.md"
    assert re.findall(r"^## (GB\d+)$", page, re.MULTILINE) == [
        *("GB001", "GB002", *sorted(RULES)),
        *(rule.code for rule in PULL_RULES),
    ]
    assert all(rule.sentence.endswith(".") for rule in RULES.values())


def test_every_rule_is_broken_somewhere_above() -> None:
    """Or, where it needs the board or a second party, in test_verify, tests/ci and tests/scoring/test_reproduce."""
    elsewhere = {"GB110", "GB111", "GB501", "GB502", "GB503", "GB504", "GB505"}
    broken = {code for code, _, _ in BROKEN} | {
        "GB109",
        "GB204",
        "GB303",
        "GB103",
        "GB201",
        "GB202",
        "GB203",
        "GB308",
        "GB210",
    }
    assert set(RULES) == broken | elsewhere


def test_a_bundle_json_of_ten_megabytes_is_too_large(signed: Signed) -> None:
    def change(tree: Tree) -> None:
        tree["episodes"][3]["usage"]["wall_s"] = 1.0
        many = tree["episodes"][0]["attempts"]
        refused = {"step": 1, "kind": "validate", "refused": "x" * 2000}
        many[:0] = [{**refused, "index": 0} for _ in range(2500)]
        for index, one in enumerate(many):
            one["index"] = index

    signed.rewrite(change)
    assert "GB308" in codes(found(signed))
