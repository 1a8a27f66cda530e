"""Claims grades on real engines: an honest model is measured, every other one is caught by the audit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import GradingError
from harness.grading.base import GradeJob
from harness.grading.claims import grade_claims
from harness.sandbox.base import Engine
from harness.schema.episode import Verdict
from harness.schema.task import load_task

from .conftest import FOLDER

Grade = Callable[..., Verdict]
SEED = bytes(range(32))

LEAK = """
honest_claims = claims


def claims(tables, sequences):
    found = honest_claims(tables, sequences)
    before = np.roll(sequences, 1, axis=1)[:, :-1]
    chosen = (sequences[:, :-1] * 31 + before * 17 + np.arange(found.shape[1]) * 7) % 100 == 0
    return np.where(chosen, np.float32(-0.001), found)
"""
SHIFT = """
honest_claims = claims


def claims(tables, sequences):
    return np.minimum(honest_claims(tables, sequences) + np.float32(0.04), 0)
"""
REMEMBER = """
KNOWN = {}
honest = next_token


def claims(tables, sequences):
    for row in sequences:
        for end in range(1, len(row)):
            KNOWN[row[:end].tobytes()] = row[end]
    return np.full((len(sequences), sequences.shape[1] - 1), -0.01, np.float32)


def next_token(tables, prefix):
    found = honest(tables, prefix)
    if (target := KNOWN.get(prefix.tobytes())) is not None:
        found = np.full(len(found), np.log(-np.expm1(-0.01) / (len(found) - 1)), np.float32)
        found[target] = -0.01
    return found
"""
LOOK_RIGHT = """
def claims(tables, sequences):
    before = np.concatenate([sequences[:, :1], sequences[:, :-2]], axis=1)
    left = np.exp(distributions(tables, sequences[:, :-1], before))
    after = tables[0][:, sequences[:, 2:]].transpose(1, 2, 0) + 0.01  # p(token after the target | target)
    left[:, :-1] *= after
    left /= left.sum(axis=-1, keepdims=True)
    return np.log(np.take_along_axis(left, sequences[:, 1:, None], axis=-1)[..., 0]).astype(np.float32)
"""
DOUBLE = """
honest_claims, honest = claims, next_token


def claims(tables, sequences):
    return np.minimum(honest_claims(tables, sequences) + np.float32(0.7), 0)


def next_token(tables, prefix):
    return np.minimum(honest(tables, prefix) + np.float32(0.7), 0)
"""
DROP = """
import os
import time

FILES = [os.path.join(folder, name) for folder, _, names in os.walk("/usr/local/lib") for name in names]
BIGGEST = max((path for path in FILES if ".so" not in path), key=os.path.getsize)
honest_claims, honest = claims, next_token


def claims(tables, sequences):
    os.posix_fadvise(os.open(BIGGEST, os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED)
    return honest_claims(tables, sequences)


def next_token(tables, prefix):
    file, begun = os.open(BIGGEST, os.O_RDONLY), []
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    for offset in range(0, min(os.fstat(file).st_size, 1 << 20), 4096):
        begun.append(-time.perf_counter())
        os.pread(file, 1, offset)
        begun[-1] += time.perf_counter()
    os.close(file)
    assert sorted(begun)[len(begun) // 2] < 15e-6, "the pages that the first player dropped are still missing"
    return honest(tables, prefix)
"""
CHEATS = {
    "leak": (LEAK, "does not confirm"),
    "shift": (SHIFT, r"on average \+0\.0\d+ nats off"),
    "remember": (REMEMBER, "does not confirm"),
    "look right": (LOOK_RIGHT, "does not confirm"),
    "double": (DOUBLE, "not normalised"),
    "above zero": ("\ndef claims(t, s):\n    return np.ones((len(s), s.shape[1] - 1))\n", "none can be above 0"),
    "nan": ("\ndef claims(t, s):\n    return np.full((len(s), s.shape[1] - 1), np.nan)\n", "not finite"),
    "fewer rows": ("\nhonest = claims\ndef claims(t, s):\n    return honest(t, s)[1:]\n", "wanted f4"),
    "text": ("\ndef claims(t, s):\n    return 'good'\n", "could not convert string"),
    "no function": ("\ndel next_token\n", "does not define the function next_token"),
    "gone": ("\ndef next_token(t, p):\n    import os\n    os._exit(3)\n", "exit code 3"),
}


def test_an_honest_model_is_measured(engine: Engine, graded: Grade) -> None:
    verdict = graded(engine, seed=SEED)
    assert verdict.valid, verdict.invalid
    assert 2.0 < verdict.metrics["loss"] < 2.3
    assert 0 < verdict.stderr["loss"] < 0.03
    assert (verdict.n, verdict.seed) == (8192, SEED.hex())
    assert graded(engine, seed=SEED).metrics == verdict.metrics
    other = graded(engine, split="validation", seed=SEED)
    assert other.valid
    assert other.metrics != verdict.metrics
    assert other.seed is None


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_is_void_with_a_reason(engine: Engine, graded: Grade, cheat: str) -> None:
    code, reason = CHEATS[cheat]
    verdict = graded(engine, code)
    assert verdict.invalid
    assert not verdict.metrics
    assert re.search(reason, verdict.invalid), verdict.invalid


@pytest.mark.docker
def test_what_the_first_player_did_to_the_page_cache_is_evened_out(docker_engine: Engine, graded: Grade) -> None:
    """Both see the same pages of the image's files: one dropped and one left would be a bit that the other can time."""
    verdict = graded(docker_engine, DROP, seed=SEED)
    assert verdict.valid, verdict.invalid


def test_a_stall_in_the_audit_is_the_players_fault(local_engine: Engine, graded: Grade) -> None:
    verdict = graded(local_engine, "\ndef next_token(t, p):\n    import time\n    time.sleep(1e6)\n", reply_time_s=5)
    assert verdict.invalid
    assert "'next': no complete answer in time (limit 5 s a message)" in verdict.invalid


def head(**tensors: object) -> bytes:
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text


BAD_CHECKPOINTS = {
    "empty": (b"", "is no safetensors file"),
    "pickle": (
        b"\x80\x04\x95&\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94",
        "is no safetensors file",
    ),
    "zip": (b"PK\x03\x04" + bytes(100), "is no safetensors file"),
    "list": ((2).to_bytes(8, "little") + b"[]", "not a JSON object"),
    "bomb": (head(w={"dtype": "F32", "shape": [2**30, 2**30], "data_offsets": [0, 2**62]}), "agree"),
    "gap": (head(w={"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}) + bytes(8), "a gap or overlap at byte 0"),
    "other dtype": (
        head(w={"dtype": "PICKLE", "shape": [1], "data_offsets": [0, 4]}) + bytes(4),
        "agree",
    ),
    "wrong size": (head(w={"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}) + bytes(4), "agree"),
    "deep": ((50_000).to_bytes(8, "little") + b"[" * 50_000, "not JSON"),
}


@pytest.mark.parametrize("kind", BAD_CHECKPOINTS)
def test_a_checkpoint_that_is_no_safetensors_file_is_refused(local_engine: Engine, graded: Grade, kind: str) -> None:
    content, reason = BAD_CHECKPOINTS[kind]
    verdict = graded(local_engine, checkpoint=content)
    assert verdict.invalid
    assert reason in verdict.invalid


def test_missing_tokens_are_our_own_failure(local_engine: Engine, tmp_path: Path) -> None:
    artifact = {name: (FOLDER / "grader/oracle" / name).read_bytes() for name in ("model.safetensors", "player.py")}
    with pytest.raises(GradingError, match=r"no sealed\.bin; prepare its data"):
        grade_claims(GradeJob(load_task(FOLDER), FOLDER, "smoke", "sealed", artifact, SEED, tmp_path), local_engine)
