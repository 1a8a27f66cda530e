"""The table of hostile pull requests: what each tries, who refuses it, what is executed meanwhile, and the test of it.

`python -m tests.ci.hostile_pulls site/docs/hostile.md` writes the page. A test holds page and tests to this table.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

NOTHING = "nothing"
CONTAINER = "the artifact, in a grader's container"
ACTIONS = "the artifact; on main its recorded actions, in an agent's container"


class Hostile(NamedTuple):
    """`test`: file::function, with the row of its table in brackets; `executed` before it is refused."""

    tries: str
    refused: str
    executed: str
    test: str


SIGN, CI, SCORING = "tests/harness/sign", "tests/ci", "tests/scoring"
ENTRIES = f"{CI}/test_hostile_entries.py::test_a_hostile_entry_is_refused_by_its_code_and_nothing_is_graded"
TABLE = (
    Hostile(
        "changed limits: steps, cost, time",
        "GB205, GB206, GB207",
        NOTHING,
        f"{ENTRIES}[changed limits]",
    ),
    Hostile(
        "missing failures: fewer than four seeds",
        "GB201",
        NOTHING,
        f"{ENTRIES}[missing failures]",
    ),
    Hostile(
        "an edited score, not signed again",
        "signature",
        NOTHING,
        f"{ENTRIES}[edited score]",
    ),
    Hostile(
        "an edited score, signed again by its submitter",
        "regrade; stays signed by a downgrade",
        CONTAINER,
        f"{CI}/test_workflows.py::test_an_edited_score_is_seen_and_stays_signed_when_it_is_merged_all_the_same",
    ),
    Hostile(
        "a level claimed in the bundle",
        "GB001",
        NOTHING,
        f"{ENTRIES}[a level claimed in the bundle]",
    ),
    Hostile(
        "a swapped payload",
        "GB002 payload digest",
        NOTHING,
        f"{ENTRIES}[swapped payload]",
    ),
    Hostile(
        "the signature of another entry",
        "signature",
        NOTHING,
        f"{ENTRIES}[signature of another entry]",
    ),
    Hostile(
        "the key of another person, or another person's name",
        "signature",
        NOTHING,
        f"{ENTRIES}[key of another person]",
    ),
    Hostile(
        "a key that was revoked",
        "revoked, GB110",
        NOTHING,
        f"{CI}/test_workflows.py::test_a_revoked_key_lets_nothing_in",
    ),
    Hostile(
        "lists of its own: revoked keys, second parties",
        "GB401; the base's are read",
        CONTAINER,
        f"{CI}/test_workflows.py::test_a_hostile_pull_request_is_refused_by_name",
    ),
    Hostile(
        "a counter-signature: forged, unlisted, or for oneself",
        "GB501 to GB505",
        NOTHING,
        f"{SCORING}/test_reproduce.py::test_an_unlisted_party_a_foreign_key_and_another_namespace_are_refused",
    ),
    Hostile(
        "a signature or a key changed after the inclusion",
        "on no board",
        NOTHING,
        f"{SCORING}/test_revocation.py::test_another_key_or_another_signature_needs_another_line",
    ),
    Hostile(
        "a key that the author does not publish",
        "signature",
        NOTHING,
        f"{CI}/test_hostile_entries.py::test_a_key_that_the_author_does_not_publish",
    ),
    Hostile(
        "a bomb: 400 MiB from some kilobytes",
        "GB002 archive",
        NOTHING,
        f"{ENTRIES}[bomb]",
    ),
    Hostile(
        "ten gigabytes from little, in seven ways, without memory",
        "GB002 archive",
        NOTHING,
        f"{SIGN}/test_archive.py::test_bombs_are_refused_without_memory",
    ),
    Hostile(
        "path traversal in the archive",
        "GB002 payload names",
        NOTHING,
        f"{ENTRIES}[traversal]",
    ),
    Hostile(
        "a device, a pipe, a link in the archive",
        "GB002 archive",
        NOTHING,
        f"{ENTRIES}[device]",
    ),
    Hostile(
        "a pipe for a part, a device for the bundle",
        "GB002 files",
        NOTHING,
        f"{ENTRIES}[device for a bundle]",
    ),
    Hostile(
        "a million small files in the archive",
        "GB002 archive",
        NOTHING,
        f"{ENTRIES}[million files]",
    ),
    Hostile(
        "ten thousand files beside the bundle, a YAML bomb among them",
        "GB002 files; no YAML of a stranger is read",
        NOTHING,
        f"{ENTRIES}[files beside]",
    ),
    Hostile(
        "a JSON bomb: two million brackets",
        "GB001",
        NOTHING,
        f"{ENTRIES}[deep JSON]",
    ),
    Hostile(
        "a number of a million digits; a key twice; 17 MiB",
        "GB001, GB002 files",
        NOTHING,
        f"{ENTRIES}[doubled key]",
    ),
    Hostile(
        "HTML and Markdown in every text, on the site",
        "shown as text",
        NOTHING,
        "tests/site/test_hostile.py::test_no_page_gains_a_script_a_handler_or_a_dangerous_link",
    ),
    Hostile(
        "HTML and Markdown in every text, in the comment",
        "shown as code",
        NOTHING,
        f"{SCORING}/test_comment.py::test_a_strangers_text_stays_inside_its_code_span",
    ),
    Hostile(
        "HTML and Markdown in every text, in the pull request's own",
        "shown as code",
        NOTHING,
        "tests/harness/submit/test_text.py::test_a_bundles_words_are_code_in_the_pull_request",
    ),
    Hostile(
        "shell metacharacters in every text",
        "text to every script",
        CONTAINER,
        f"{CI}/test_hostile_entries.py::test_metacharacters_in_every_text_reach_no_shell_and_no_command_to_github",
    ),
    Hostile(
        "control characters in a text",
        "GB001",
        NOTHING,
        f"{CI}/test_hostile_entries.py::test_what_could_steer_a_terminal_or_a_log_is_no_text",
    ),
    Hostile(
        "shell metacharacters in a file's name",
        "GB403",
        NOTHING,
        f"{CI}/test_preview.py::test_a_folder_without_an_entry_id_is_refused",
    ),
    Hostile(
        "commands to GitHub in what is printed",
        "stopped commands",
        NOTHING,
        f"{CI}/test_preview.py::test_what_is_printed_cannot_command_github",
    ),
    Hostile(
        "an edited ledger, or verdicts of its own",
        "GB401",
        CONTAINER,
        f"{CI}/test_preview.py::test_the_files_of_verdicts_are_not_the_submitters",
    ),
    Hostile(
        "lines of the ledger taken out, and merged all the same",
        "nothing is published",
        NOTHING,
        f"{CI}/test_publish.py::test_a_line_that_was_taken_out_long_before_the_last_commit_is_missed",
    ),
    Hostile(
        "edited workflows, scripts, tasks",
        "GB407; the base's are run",
        CONTAINER,
        f"{CI}/test_preview.py::test_a_submission_that_changes_more_is_named",
    ),
    Hostile(
        "somebody else's entry, changed or removed",
        "GB402, GB404",
        NOTHING,
        f"{CI}/test_preview.py::test_an_entry_is_changed_by_its_own_submitter_only",
    ),
    Hostile(
        "somebody else's entry under an id of one's own",
        "GB101, signature",
        NOTHING,
        f"{CI}/test_hostile_entries.py::test_somebody_elses_entry_cannot_be_renamed_to_ones_own",
    ),
    Hostile(
        "a payload's address at loopback, written in three ways",
        "fetch",
        NOTHING,
        f"{CI}/test_hostile_entries.py::test_a_part_at_loopback_is_not_asked_for",
    ),
    Hostile(
        "a payload's address that redirects to loopback",
        "fetch",
        NOTHING,
        f"{SIGN}/test_fetch.py::test_a_redirect_to_loopback_is_not_followed",
    ),
    Hostile(
        "a strategy that tries the network",
        "its claim is not found: nobody answered, nobody was called",
        CONTAINER,
        f"{CI}/test_hostile_players.py::test_a_strategy_that_calls_home_reaches_nobody",
    ),
    Hostile(
        "a player that fakes its verdict",
        "its claim is not found",
        CONTAINER,
        f"{CI}/test_hostile_players.py::test_a_player_that_prints_a_verdict_is_not_believed",
    ),
    Hostile(
        "a preview's artifact that claims a level",
        "schema of the report",
        NOTHING,
        f"{SCORING}/test_comment.py::test_a_report_cannot_claim_a_level_that_its_figures_do_not_support",
    ),
    Hostile(
        "somebody else's payload, signed again",
        "GB111; on main no rank",
        NOTHING,
        f"{CI}/test_hostile_entries.py::test_somebody_elses_payload_signed_again",
    ),
    Hostile(
        "pasted public labels",
        "the replay on main, under fresh ids; flagged, without a rank",
        ACTIONS,
        f"{CI}/test_workflows.py::test_pasted_public_labels_are_regraded_and_fail_in_the_replay_on_main",
    ),
    Hostile(
        "public labels in the order of the rows, or with a model in reserve",
        "the replay, by its value",
        ACTIONS,
        "tests/harness/replay/test_entry.py::test_pasting_with_a_model_in_reserve_is_found_by_the_value",
    ),
    Hostile(
        "a replay's report about other bytes, other values, some seeds",
        "settle, ledger replay",
        NOTHING,
        f"{SCORING}/test_replays.py::test_a_replay_of_something_else_is_not_written_down",
    ),
    Hostile(
        "pushing again to draw a lucky seed",
        "one verdict an artifact, from the ledger",
        NOTHING,
        f"{CI}/test_hostile_players.py::test_pushing_again_draws_no_other_seed",
    ),
)

HEAD = """---
title: Hostile pull requests
description: What a submission may try, who refuses it, and what was executed until then.
---

# Hostile pull requests

Each of these is a test that tries it. *Executed* is what ran before it was refused: never anything of the pull request but an
artifact, in a grader's container, without network, labels or seed, and on main what its agent had done, in an agent's container.
A code is explained on the page of [rules](rules-codes.md); *signature* and *fetch* are refused by the commands `verify` and `fetch`.

| it tries | refused by | executed | test |
|---|---|---|---|
"""


def page() -> str:
    """Markdown of the whole table."""
    return HEAD + "".join(f"| {row.tries} | {row.refused} | {row.executed} | `{row.test}` |\n" for row in TABLE)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
