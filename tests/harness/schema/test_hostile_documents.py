"""Documents that were written to break something: each is refused with the path of its fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SchemaError
from harness.schema.bundle import MAX_EPISODES, Bundle
from harness.schema.document import MAX_PROBLEMS, MAX_VALUES
from harness.schema.episode import Episode
from harness.schema.run import RunManifest
from harness.schema.task import TaskSpec, tasks_root
from tests.harness.schema.documents import BUNDLE, DIGEST, EPISODE, RUN, VERDICT, spoilt

TASK = (tasks_root() / "house-price" / "task.toml").read_text()


def faults(record: Any, data: Any) -> dict[str, str]:
    """Path -> message of every fault; the document must be refused."""
    with pytest.raises(SchemaError) as caught:
        record.from_json(data if isinstance(data, str | bytes) else json.dumps(data))
    return {problem.path: problem.message for problem in caught.value.problems}


def test_the_documents_here_are_valid_before_they_are_spoilt() -> None:
    assert Bundle.from_json(json.dumps(BUNDLE)).episodes[0].key == "house-price/seed-0"
    assert RunManifest.from_json(json.dumps(RUN)).seeds == (0, 1)
    assert TaskSpec.from_toml(TASK).id == "house-price"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("entry.rank", 1),
        ("level", "replayed"),
        ("entry.id", "../../etc"),
        ("entry.id", "My Agent"),
        ("entry.id", "a" * 65),
        ("entry.id", "agent\n"),
        ("entry.agent", ""),
        ("entry.agent", "name\x1b[2J"),
        ("entry.agent", "two\nlines"),
        ("entry.model", "right\u202eleft"),
        ("entry.url", "http://example.org/"),
        ("entry.url", "https://user:secret@example.org/"),
        ("entry.url", "javascript:alert(1)"),
        ("entry.url", 'https://example.org/"><script>'),
        ("entry.url", "https://example.org/ x"),
        ("entry.date", "2026-02-30"),
        ("entry.date", "٢٠٢٦-١١-٢٠"),
        ("created", "2026-11-20T25:00:00Z"),
        ("created", "2026-11-20 12:00:00"),
        ("suite_version", "1.0"),
        ("suite_version", "١.٠.٠"),
        ("submitter", "github:0"),
        ("submitter", "github:octocat"),
        ("submitter", "gymboard\n"),
        ("schema_version", 2),
        ("schema_version", True),
        ("schema_version", 1.0),
        ("profile", "OFFICIAL"),
        ("hardware.cores", True),
        ("hardware.cores", 0),
        ("hardware.memory_gib", "16"),
        ("harness_commit", "0" * 39),
        ("episodes", []),
        ("episodes", {}),
        ("episodes.0", None),
        ("episodes.0.seed", -1),
        ("episodes.0.seed", False),
        ("episodes.0.seed", 0.0),
        ("episodes.0.seed", "0"),
        ("episodes.0.seed", 2**53),
        ("episodes.0.seed", 10**500),
        ("episodes.0.trace", "bu"),
        ("episodes.0.trace", "BU\n"),
        ("episodes.0.trace", "BX"),
        ("episodes.0.trace", "-" * 100_001),
        ("episodes.0.trace", ["B", "U"]),
        ("episodes.0.steps", -1),
        ("episodes.0.exit_status", "won"),
        ("episodes.0.usage.input_tokens", -5),
        ("episodes.0.usage.wall_s", -0.5),
        ("episodes.0.usage.wall_s", True),
        ("episodes.0.attempts.0.artifact_sha256", "0" * 63),
        ("episodes.0.attempts.0.artifact_sha256", "A" * 64),
        ("episodes.0.attempts.0.sealed.metrics.r2", "0.88"),
        ("episodes.0.attempts.0.sealed.n", 0),
        ("episodes.0.attempts.0.sealed.split", "test"),
        ("payload.0.name", "../bundle.json"),
        ("payload.0.name", "/etc/passwd"),
        ("payload.0.name", "a/../../b"),
        ("payload.0.name", "a//b"),
        ("payload.0.name", "./a"),
        ("payload.0.name", "a\\..\\b"),
        ("payload.0.name", "-rf"),
        ("payload.0.name", "a\0b"),
        ("payload.0.name", "ünïcode"),
        ("payload.0.name", ""),
        ("payload.0.size_bytes", -1),
        ("payload.0.location", "file:///etc/passwd"),
    ],
)
def test_a_fault_is_named_by_its_path(path: str, value: Any) -> None:
    found = faults(Bundle, spoilt(BUNDLE, path, value))
    wanted = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))[1:]
    assert list(found) == [wanted]


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000])
def test_numbers_that_are_none(literal: str) -> None:
    text = json.dumps(spoilt(BUNDLE, "episodes.0.usage.wall_s", "HERE")).replace('"HERE"', literal)
    assert faults(Bundle, text) == {"episodes[0].usage.wall_s": "is not a finite number"}


def test_a_metric_may_not_be_infinite_even_when_python_builds_the_record() -> None:
    with pytest.raises(ValueError, match="finite"):
        Episode.model_validate_json(json.dumps(EPISODE)).attempts[0].sealed.__class__(
            split="sealed", metrics={"r2": float("inf")}, grader_version="1.0.0", duration_s=0.0
        )


def test_all_faults_at_once() -> None:
    tree = spoilt(spoilt(spoilt(BUNDLE, "entry.id", "No"), "episodes.0.seed", -1), "payload.0.sha256", "x")
    text = json.dumps(tree | {"rank": 1}).replace('"steps": 2', '"steps": NaN')
    wanted = {"entry.id", "episodes[0].seed", "episodes[0].steps", "payload[0].sha256", "rank"}
    assert set(faults(Bundle, text)) == wanted


def test_keys_that_appear_twice() -> None:
    text = json.dumps(BUNDLE)
    text = text.replace('"r2": 0.88', '"r2": 0.99, "r2": 0.88').replace('"cores": 2', '"cores": 64, "cores": 2')
    found = faults(Bundle, text)
    assert found == {
        "episodes[0].attempts[0].sealed.metrics.r2": "appears twice",
        "hardware.cores": "appears twice",
    }


@pytest.mark.parametrize("depth", [150, 900, 5_000, 1_000_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")])
def test_deep_nesting_ends_in_one_error(depth: int, brackets: tuple[str, str]) -> None:
    text = '{"entry": ' + brackets[0] * depth + brackets[1] * depth + "}"
    assert faults(Bundle, text)


def test_deep_toml_ends_in_one_error() -> None:
    with pytest.raises(SchemaError, match="not acceptable TOML"):
        TaskSpec.from_toml("a=" + "[" * 100_000)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{} {}", b"null", b"[]", b'"x"', b"{", b"{'a': 1}", b"\0"]
)
def test_what_is_no_document(data: bytes) -> None:
    assert list(faults(Bundle, data)) == ["(document)"]


def test_a_lone_surrogate_is_named() -> None:
    text = json.dumps(spoilt(BUNDLE, "episodes.0.exit_detail", "\ud800"))
    assert faults(Bundle, text) == {"episodes[0].exit_detail": "is not Unicode text (a lone surrogate)"}
    emoji = json.dumps(spoilt(BUNDLE, "episodes.0.exit_detail", "\U0001f600"))
    assert Bundle.from_json(emoji).episodes[0].exit_detail == "\U0001f600"


def test_repeated_episodes_and_parts_are_all_named() -> None:
    other = EPISODE | {"seed": 1}
    tree = BUNDLE | {"episodes": [EPISODE, other, EPISODE, other, other], "payload": BUNDLE["payload"] * 2}
    with pytest.raises(SchemaError) as caught:
        Bundle.from_json(json.dumps(tree))
    assert [str(problem) for problem in caught.value.problems] == [
        "error: episodes: house-price/seed-0 appears 2 times",
        "error: episodes: house-price/seed-1 appears 3 times",
        "error: payload: two parts have the same name",
    ]


def test_rules_across_fields() -> None:
    assert "sandbox" in faults(Bundle, {key: value for key, value in BUNDLE.items() if key != "sandbox"})
    assert "citation" in faults(Bundle, BUNDLE | {"origin": "import"})
    assert "episodes" in faults(Bundle, BUNDLE | {"profile": "smoke"})
    assert "episodes[0]" in faults(Bundle, spoilt(BUNDLE, "episodes.0.attempts.0.index", 1))
    neither = {key: value for key, value in VERDICT.items() if key != "metrics"}
    assert "episodes[0].attempts[0].sealed" in faults(Bundle, spoilt(BUNDLE, "episodes.0.attempts.0.sealed", neither))
    both = VERDICT | {"invalid": "no file"}
    assert "episodes[0].attempts[0].sealed" in faults(Bundle, spoilt(BUNDLE, "episodes.0.attempts.0.sealed", both))


def test_a_flood_of_faults_is_capped_and_cleaned() -> None:
    found = faults(Bundle, BUNDLE | {f"key\x1b[31m{number}": 1 for number in range(5000)})
    assert len(found) == MAX_PROBLEMS + 1
    assert found["(document)"] == f"and {5000 - MAX_PROBLEMS} more"
    assert "\x1b" not in "".join(found)


@pytest.mark.parametrize("value", ["{}", "[]", "0", '{"":{}}'])
def test_a_document_of_millions_of_faults_is_one_fault(value: str) -> None:
    text = '{"episodes": [' + ",".join([value] * 1_000_000) + "]}"
    assert faults(Bundle, text) == {"(document)": f"holds more than {MAX_VALUES} values"}


def test_text_with_many_commas_is_no_flood() -> None:
    text = json.dumps(spoilt(BUNDLE, "episodes.0.exit_detail", "," * 2 * MAX_VALUES))
    assert list(faults(Bundle, text)) == ["episodes[0].exit_detail"]


def test_a_bundle_holds_a_run_and_not_a_years_work_for_the_grader() -> None:
    episodes = [EPISODE | {"seed": seed} for seed in range(MAX_EPISODES + 1)]
    assert Bundle.from_json(json.dumps(BUNDLE | {"episodes": episodes[:-1]}))
    assert "at most" in faults(Bundle, BUNDLE | {"episodes": episodes})["episodes"]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('rank = "first"', "rank"),
        ("version = 2026-11-20", "version"),
        ('id = "House"', "id"),
        ("metrics = []", "metrics"),
        ("transform = nan", "transform"),
    ],
)
def test_task_files(line: str, path: str) -> None:
    key = line.split(" ")[0]
    kept = "\n".join(row for row in TASK.splitlines() if not row.startswith(f"{key} ="))
    if key == "metrics":
        kept = kept.split("[[metrics]]")[0] + "[[artifact]]" + kept.split("[[artifact]]", 1)[1]
    with pytest.raises(SchemaError) as caught:
        TaskSpec.from_toml(f"{line}\n{kept}", "house-price/task.toml")
    assert path in {problem.path.partition("[")[0] for problem in caught.value.problems}


def test_a_toml_file_with_a_repeated_key() -> None:
    with pytest.raises(SchemaError, match="not acceptable TOML"):
        TaskSpec.from_toml(TASK.replace('id = "house-price"', 'id = "house-price"\nid = "other"'))


def test_a_predictions_task_needs_its_columns_and_known_metrics() -> None:
    with pytest.raises(SchemaError, match=r"error: grader: .*target_type"):
        TaskSpec.from_toml(TASK.replace('target_type = "float"\n', ""))
    with pytest.raises(SchemaError, match="baselines name metrics"):
        TaskSpec.from_toml(TASK.replace('metric = "rmse"', 'metric = "mse"'))


def test_run_manifest_seeds() -> None:
    assert list(faults(RunManifest, RUN | {"seeds": [0, True, -1]})) == ["seeds[1]", "seeds[2]"]
    assert list(faults(RunManifest, RUN | {"tasks_sha256": {"../x": DIGEST}})) == ["tasks_sha256.../x.[key]"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_record_or_a_schema_error(tree: Any) -> None:
    for record in (Bundle, Episode, RunManifest, TaskSpec):
        with pytest.raises(SchemaError):
            record.from_json(json.dumps(tree))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_schema_error(data: bytes) -> None:
    with pytest.raises(SchemaError):
        Bundle.from_json(data)


@given(st.sampled_from(sorted(EPISODE)), JSON)
def test_an_episode_with_any_value_anywhere(key: str, value: Any) -> None:
    """Either it is refused, or what was read is written and read again unchanged."""
    try:
        episode = Episode.from_json(json.dumps(EPISODE | {key: value}))
    except SchemaError as error:
        assert all(problem.path for problem in error.problems)
    else:
        assert Episode.from_json(episode.canonical()) == episode


@pytest.mark.parametrize(
    ("steps", "trace", "actions", "says"),
    [
        (3, "BU", {"Bash": 1, "Submit": 1}, "2 letters for 3 steps"),
        (2, "UU", {"Bash": 1, "Submit": 1}, "but actions are"),
        (2, "BU", {}, "but actions are"),
        (2, "--", {"Bash": 2}, "but actions are"),
        (3, "BU-", {"Bash": 1, "Submit": 1, "Edit": 1}, "but actions are"),
    ],
)
def test_a_trace_has_a_letter_a_step_and_sums_to_the_actions(
    steps: int, trace: str, actions: dict[str, int], says: str
) -> None:
    fault = faults(Episode, {**EPISODE, "steps": steps, "trace": trace, "actions": actions})
    assert list(fault) == ["(document)"] and says in fault["(document)"]


def test_a_trace_may_be_absent_and_a_step_may_be_none() -> None:
    assert Episode.from_json(json.dumps({**EPISODE, "steps": 4, "trace": "B--U"})).trace == "B--U"
    told = {key: value for key, value in EPISODE.items() if key != "trace"}
    assert Episode.from_json(json.dumps({**told, "steps": 100_001})).modifies is True
    assert Episode.from_json(json.dumps({**told, "actions": {}})).modifies is None
    assert Episode.from_json(json.dumps({**EPISODE, "steps": 0, "trace": "", "actions": {}})).modifies is False
