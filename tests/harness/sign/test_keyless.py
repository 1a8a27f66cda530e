"""Keyless signatures: the real client against a sigstore on loopback. The public instance was never asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sigstore", reason="the extra sigstore is not installed")

from harness.errors import GymboardError, UsageError, VerificationError
from harness.keyless import GITHUB_ACTIONS, PROOF, Identity, sign_keyless, verify_keyless
from harness.verify import verify
from tests.harness.sign.builder import SUBMITTER, Signed
from tests.servers.sigstore import Sigstore, served, token

ROOT = Path(__file__).resolve().parents[3]
OWNER = SUBMITTER.removeprefix("github:")
WORKFLOW = "https://github.com/ada/gymboard/.github/workflows/run.yml@refs/heads/main"


def actions(owner: str = OWNER, issuer: str = GITHUB_ACTIONS) -> str:
    return token(iss=issuer, sub=WORKFLOW, repository_owner_id=owner)


@pytest.fixture(scope="module")
def instance() -> Iterator[tuple[Sigstore, str]]:
    sigstore = Sigstore()
    with served(sigstore) as address:
        yield sigstore, address


@pytest.fixture
def trust(instance: tuple[Sigstore, str], tmp_path: Path) -> Path:
    return write_trust(tmp_path / "trust.json", *instance)


def write_trust(file: Path, sigstore: Sigstore, address: str) -> Path:
    file.write_text(json.dumps(sigstore.trust(address)))
    return file


def test_a_workflow_of_the_submitters_own_repository_signs_and_it_verifies_offline(
    signed: Signed, trust: Path, instance: tuple[Sigstore, str], tmp_path: Path
) -> None:
    assert sign_keyless(signed.folder, actions(), trust).name == PROOF
    offline = write_trust(tmp_path / "offline.json", instance[0], "http://127.0.0.1:9")
    assert SUBMITTER in verify_keyless(signed.folder, trust=offline)
    assert verify_keyless(signed.folder, Identity(WORKFLOW, GITHUB_ACTIONS), offline).startswith(
        f"signed by {WORKFLOW}"
    )
    assert verify(signed.folder, signed.signers).principal == SUBMITTER, "it is no stranger in the folder"


@pytest.mark.parametrize("claims", [{"owner": "77"}, {"issuer": "https://elsewhere.example"}])
def test_another_owner_or_issuer_is_refused(signed: Signed, trust: Path, claims: dict[str, str]) -> None:
    sign_keyless(signed.folder, actions(**claims), trust)
    with pytest.raises(VerificationError, match="sigstore"):
        verify_keyless(signed.folder, trust=trust)
    with pytest.raises(VerificationError, match="sigstore"):
        verify_keyless(signed.folder, Identity("somebody@example.org", GITHUB_ACTIONS), trust)


def test_another_instance_other_bytes_and_another_proof_are_refused(
    signed: Signed, trust: Path, tmp_path: Path
) -> None:
    sign_keyless(signed.folder, actions(), trust)
    strange = write_trust(tmp_path / "strange.json", Sigstore(), "http://127.0.0.1:9")
    with pytest.raises(VerificationError, match="sigstore"):
        verify_keyless(signed.folder, trust=strange)
    honest = (signed.folder / "bundle.json").read_bytes()
    signed.rewrite(lambda tree: tree["entry"].update(agent_version="9.9.9"))  # type: ignore[attr-defined]
    with pytest.raises(VerificationError, match="digest mismatch"):
        verify_keyless(signed.folder, trust=trust)
    shutil.copy(signed.folder / PROOF, tmp_path / "of-the-first")
    sign_keyless(signed.folder, actions(), trust)
    verify_keyless(signed.folder, trust=trust)
    (signed.folder / "bundle.json").write_bytes(honest)
    with pytest.raises(VerificationError, match="sigstore"):
        verify_keyless(signed.folder, trust=trust)
    shutil.copy(tmp_path / "of-the-first", signed.folder / PROOF)
    verify_keyless(signed.folder, trust=trust)


def changed(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(tree: Any) -> None:
        *steps, last = path.split(".")
        for step in steps:
            tree = tree[int(step) if step.isdigit() else step]
        assert tree[last] != value
        tree[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("verificationMaterial.tlogEntries.0.integratedTime", "1700000000"),
        changed("verificationMaterial.tlogEntries.0.inclusionProof.rootHash", "AAAA"),
        changed("verificationMaterial.tlogEntries", []),
        changed("messageSignature.signature", "AAAA"),
        changed("mediaType", "application/x"),
        lambda tree: tree.clear(),
    ],
)
def test_a_changed_proof_is_refused(signed: Signed, trust: Path, change: Callable[[dict[str, Any]], None]) -> None:
    file = sign_keyless(signed.folder, actions(), trust)
    tree = json.loads(file.read_bytes())
    change(tree)
    file.write_text(json.dumps(tree))
    with pytest.raises(GymboardError, match="sigstore"):
        verify_keyless(signed.folder, trust=trust)


def test_what_is_missing_says_what_to_do(signed: Signed, trust: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"bundle\.json\.sigstore\.json"):
        verify_keyless(signed.folder, trust=trust)
    with pytest.raises(UsageError, match="id-token: write"):
        sign_keyless(signed.folder, None, trust)
    with pytest.raises(GymboardError, match="sigstore: "):
        sign_keyless(signed.folder, "no token", trust)
    for name in [name for name in sys.modules if name.split(".")[0] == "sigstore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(UsageError, match=r"gymboard\[sigstore\]"):
        verify_keyless(signed.folder, trust=trust)


def test_the_commands_sign_with_both_and_verify_both(signed: Signed, trust: Path, tmp_path: Path) -> None:
    def gymboard(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "gymboard", *words], capture_output=True, text=True, cwd=ROOT)

    (tmp_path / "token").write_text(actions() + "\n")
    both = ("--sigstore", "--trust-config", str(trust))
    done = gymboard(
        "sign", str(signed.folder), "--key", str(signed.key), *both, "--identity-token", str(tmp_path / "token")
    )
    assert done.returncode == 0 and PROOF in done.stdout, done.stderr
    done = gymboard("verify", str(signed.folder), "--signers", str(signed.key.with_suffix(".pub")), *both)
    assert done.returncode == 0 and f"in a repository of {SUBMITTER}" in done.stdout, done.stderr
    (signed.folder / PROOF).unlink()
    done = gymboard("verify", str(signed.folder), "--signers", str(signed.key.with_suffix(".pub")), *both)
    assert done.returncode == 2 and PROOF in done.stderr
