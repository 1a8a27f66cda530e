"""CONTRIBUTING's "Add a task", typed as it stands."""

from __future__ import annotations

import re
import textwrap

import pytest

from tests.harness.authoring.conftest import ROOT, Checkout

BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def recipe() -> list[str]:
    """The shell blocks of the section, in order."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.split("## Add a task\n")[1].split("\n## ")[0]
    return [textwrap.dedent(block) for _, block in BLOCK.findall(section)]


def in_docker(line: str) -> bool:
    return "--sandbox docker" in line


def follow(checkout: Checkout, blocks: list[str]) -> list[str]:
    printed = []
    for block in blocks:
        done = checkout.sh(block)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        printed.append(done.stdout)
    return printed


def test_the_recipe_works_as_it_is_written(checkout: Checkout) -> None:
    blocks = ["\n".join(line for line in block.splitlines() if not in_docker(line)) for block in recipe()]
    printed = follow(checkout, blocks)
    assert len(printed) == 6
    assert "exploit fifo" in printed[2] and "FAIL" not in "".join(printed)
    assert re.search(r"tide-tables +0 .* - .*evaluation_error", printed[3]), "without a starter there is nothing to run"
    assert re.search(r"tide-tables .*baseline, none, buggy +default, half", printed[4])
    assert "tide-tables@half" in printed[5]


@pytest.mark.docker
def test_what_it_makes_holds_in_containers(checkout: Checkout) -> None:
    lines = "".join(recipe()).splitlines()
    made, proven = lines[0], [line for line in lines if in_docker(line)]
    assert made.startswith("gymboard tasks new ") and proven
    assert "FAIL" not in "".join(follow(checkout, [made, *proven]))
