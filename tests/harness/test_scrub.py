"""Scrubbing: each kind goes, look-alikes stay, the same bytes give the same bytes, hostile text costs linear time."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import CheckError
from harness.pack import _scrubbed
from harness.schema.command import command_class
from harness.schema.episode import Episode
from harness.scrub import Scrubber, known_secrets, log_findings
from harness.secret_kinds import KINDS, MARK, findings, without

# Put together here so that no scanner of this repository's own takes them for real.
ALNUM = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kL9nP2rS5uV8xA1dG4jM7qR0tY3w"
SECRETS = {
    "private-key": "-----BEGIN RSA PRIVATE"
    + " KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE\n-----END RSA PRIVATE KEY-----",
    "anthropic-key": "sk-" + "ant-api03-" + ALNUM,
    "openai-key": "sk-" + "proj-" + ALNUM,
    "github-token": "gh" + "p_" + ALNUM[:36],
    "gitlab-token": "gl" + "pat-" + ALNUM[:20],
    "huggingface-token": "h" + "f_" + ALNUM[:34],
    "aws-key-id": "AK" + "IA" + "Q7" * 8,
    "aws-secret": "aws_secret_access_key = " + ALNUM[:40],
    "google-key": "AI" + "za" + ALNUM[:35],
    "slack-token": "xo" + "xb-1234567890-" + ALNUM[:12],
    "stripe-key": "sk_" + "live_" + ALNUM[:24],
    "groq-key": "gs" + "k_" + ALNUM[:52],
    "xai-key": "xa" + "i-" + ALNUM,
    "perplexity-key": "pp" + "lx-" + ALNUM[:48],
    "replicate-token": "r8" + "_" + ALNUM[:37],
    "nvidia-key": "nv" + "api-" + ALNUM,
    "npm-token": "np" + "m_" + ALNUM[:36],
    "pypi-token": "py" + "pi-AgEIcHlwaS5vcmc" + ALNUM,
    "sendgrid-key": "S" + "G." + ALNUM[:22] + "." + ALNUM[:43],
    "telegram-token": "123456789:" + "AA" + ALNUM[:33],
    "web-token": "ey" + "J0eXAiOiJKV1Qi.ey" + "JzdWIiOiIxMjM0.c2lnbmF0dXJlMTIz",
    "authorization": "Authorization: " + "Bearer " + ALNUM[:30],
    "url-password": "https://bob:" + "hunter22@db.internal/x",
    "assigned-secret": "WANDB_API_KEY=" + "0123456789abcdef" * 2,
    "quoted-secret": '{"client_secret": "' + ALNUM[:20] + '"}',
    "email": "ada.lovelace+ml@mail.analytical-engine.org",
    "home": "/home/ada/projects",
}


def test_every_kind_has_an_example() -> None:
    assert set(SECRETS) == {kind.name for kind in KINDS}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ["{}", "x = '{}'\n", "said: {}.", '"{}"'])
def test_each_kind_is_found_once_and_gone(kind: str, around: str) -> None:
    text = around.format(SECRETS[kind])
    found: Counter[str] = Counter()
    clean = without(text, found)
    assert found == {kind: 1} and MARK in clean
    assert not findings(clean), "what is scrubbed is clean"
    assert without(clean, Counter()) == clean
    assert not any(part in clean for part in (ALNUM[:16], "hunter22", "lovelace", "ada", "MIIE", "0123456789abcdef"))


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn is not sk-a-long-name-of-a-python-package-here",
        "y = x@self.weight.to(device) @ W.T; z = a@b.mean(); q = h@w.to(device)",
        "git@github.com:facebookresearch/MLGym.git, someone@users.noreply.github.com, user@example.com",
        "/home/agent/workspace/strategy.py and /home/player",
        "MAX_TOKENS=4096 PAD_TOKEN=<pad> token = tokenizer.eos_token_id",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "https://localhost:8080/a@b",
        'password="short"',
        "AKIA is a prefix",
        "@dataclass\nclass A: ...",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert findings(text) == {}
    assert without(text, Counter()) == text


@pytest.mark.parametrize(
    "unit", ["a", "eyJ", "a@", "sk-", "sk-ant-", "/home/", "A_", "://a:", "-----BEGIN PRIVATE KEY-----", "KEY="]
)
def test_hostile_text_costs_linear_time(unit: str) -> None:
    """A quadratic pattern would take half an hour here; the suite's own timeout is the bound."""
    findings("@ KEY :// " + unit * (500_000 // len(unit)))  # fmt: skip


def test_the_class_of_a_command_survives() -> None:
    for command in (f"cat {SECRETS['home']}/x", f"WANDB_API_KEY={'ab12' * 8} python train.py", "grep a@b.de notes"):
        clean = without(command, Counter())
        assert clean != command and command_class(clean) == command_class(command)


def lines(*observations: str) -> bytes:
    rows = [{"action": {"command": "x", "kind": "bash"}, "observation": text, "step": 1} for text in observations]
    return b"".join(json.dumps(row, sort_keys=True).encode() + b"\n" for row in rows)


def test_json_escapes_hide_nothing() -> None:
    key = SECRETS["anthropic-key"]
    data = lines(f"line\n{key}\ttab", "clean") + json.dumps({"observation": "\\u0073k-"}).encode() + b"\n"
    escaped = data.replace(key.encode(), key.replace("s", "\\u0073").encode())
    scrubber = Scrubber(known={})
    clean = scrubber.log("a/steps.jsonl", "steps.jsonl", escaped)
    assert json.loads(clean.split(b"\n")[0])["observation"] == f"line\n{MARK}anthropic-key\ttab"
    assert clean.split(b"\n")[1:] == data.split(b"\n")[1:], "what is clean keeps its bytes"
    assert scrubber.report() == {"a/steps.jsonl": {"anthropic-key": 1}}
    assert not log_findings("steps.jsonl", clean)


def test_a_written_file_is_looked_into() -> None:
    inside = f"KEY = '{SECRETS['github-token']}'\n".encode()
    row = {"action": {"data": base64.b64encode(inside).decode(), "kind": "write", "path": "a.py"}}
    clean = Scrubber(known={}).log("a", "steps.jsonl", json.dumps(row).encode() + b"\n")
    assert base64.b64decode(json.loads(clean)["action"]["data"]) == f"KEY = '{MARK}github-token'\n".encode()


def test_values_of_this_process_go_whatever_their_shape(tmp_path: Path) -> None:
    environment = {
        "MY_API_KEY": "plain words here",
        "PATH_TOKEN": str(tmp_path),
        "PIN_TOKEN": "1234",
        "EDITOR": "vim-vim-vim",
    }
    known = known_secrets(environment, home=Path("/data/people/ada"))
    assert known == {"plain words here": "environment", "/data/people/ada": "home"}
    scrubber = Scrubber(known=known)
    text = scrubber.text("p", "plain words here, /data/people/ada/x, vim-vim-vim")
    assert text == f"{MARK}environment, {MARK}home/x, vim-vim-vim"
    assert scrubber.report() == {"p": {"environment": 1, "home": 1}}


def test_broken_json_and_broken_text_are_scrubbed_too() -> None:
    key = SECRETS["huggingface-token"]
    assert key.encode() not in Scrubber(known={}).log("a", "trajectory.json", b'{"x": "' + key.encode())
    patch = Scrubber(known={}).log("a", "workspace.patch", b"+\xff " + key.encode() + b"\n")
    assert patch == f"+\udcff {MARK}huggingface-token\n".encode("utf-8", "surrogateescape")


def test_an_artifact_with_a_key_is_named_and_no_key_is_printed(tmp_path: Path) -> None:
    (tmp_path / "strategy.py").write_text("#" * ((1 << 20) - 20) + f"\nK = '{SECRETS['openai-key']}'\n")
    (tmp_path / "fine.py").write_text("# by ada@analytical.org in /home/ada\n")
    (tmp_path / "arrays.safetensors").write_bytes(b"\0" * 100 + SECRETS["openai-key"].encode())
    files = [(path.name, path) for path in sorted(tmp_path.iterdir())]
    with pytest.raises(CheckError) as raised:
        Scrubber(known={}).refuse_secrets(files)
    assert [problem.path for problem in raised.value.problems] == ["strategy.py"]
    assert "1 openai-key" in str(raised.value) and ALNUM[:12] not in str(raised.value)


def test_words_that_a_mark_makes_longer_still_fit_their_record() -> None:
    for words in ("/home/x " * 250, "/home/x:" * 250):
        episode = Episode.from_json(
            json.dumps(
                {
                    "task": "house-price",
                    "task_version": "1.0.0",
                    "profile": "smoke",
                    "seed": 0,
                    "exit_status": "runtime",
                    "exit_detail": words,
                    "started": "2026-11-21T10:00:00Z",
                    "steps": 0,
                    "actions": {},
                    "attempts": [],
                    "usage": {},
                }
            )
        )
        detail = _scrubbed({"house-price/seed-0": episode}, Scrubber(known={}))["house-price/seed-0"].exit_detail
        assert detail and not findings(detail) and "/home/x" not in detail
