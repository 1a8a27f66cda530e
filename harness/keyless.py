"""Keyless: a second signature over bundle.json by sigstore, made with an identity token instead of a key. Optional.

Takes a bundle folder, gives bundle.json.sigstore.json; takes the two, gives whose identity stands behind them. The SSH
signature remains what the board asks for: this one adds a public log's time and a workflow's identity, and the level of
an entry never rests on it. Verifying opens no connection. Needs the extra `sigstore`, imported when it is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.archive import open_regular
from harness.errors import GymboardError, UsageError, VerificationError
from harness.files import replace_file
from harness.schema.bundle import Bundle
from harness.signing import BUNDLE

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig
    from sigstore.verify.policy import VerificationPolicy

PROOF = "bundle.json.sigstore.json"
MAX_BYTES = 16 << 20
GITHUB_ACTIONS = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True)
class Identity:
    """Who signed, as a certificate of sigstore says it: an e-mail address or a workflow's URI, and who vouches."""

    name: str
    issuer: str


def sign_keyless(bundle_folder: Path, token: str | None = None, trust: Path | None = None) -> Path:
    """Sign bundle.json with an identity token and have it logged; gives the path of bundle.json.sigstore.json.

    `token`: None asks the machine for one, which GitHub Actions has under `id-token: write`. `trust`: sigstore's client
    trust config of another instance than the public one. Raises UsageError without a token, GymboardError.
    """
    with _sigstore():
        from sigstore.oidc import IdentityToken, detect_credential
        from sigstore.sign import SigningContext

        found = token or detect_credential()
        if found is None:
            raise UsageError("no identity token: give --identity-token, or run in a workflow with `id-token: write`")
        data = _read(bundle_folder / BUNDLE)
        context = SigningContext.from_trust_config(_trust(trust, offline=False))
        with context.signer(IdentityToken(found)) as signer:
            proof = signer.sign_artifact(data).to_json()
        return replace_file(bundle_folder / PROOF, proof.encode())


def verify_keyless(bundle_folder: Path, identity: Identity | None = None, trust: Path | None = None) -> str:
    """Hold bundle.json to the proof beside it, offline; gives what was shown, in words.

    Without `identity` the signer must be a workflow of GitHub Actions in a repository that the submitter's numeric id
    owns. Raises VerificationError("sigstore", ...) unless it holds.
    """
    with _sigstore():
        from sigstore.models import Bundle as Proof
        from sigstore.verify import Verifier

        data = _read(bundle_folder / BUNDLE)
        proof = Proof.from_json(_read(bundle_folder / PROOF))
        policy, words = _policy(Bundle.from_json(data, subject=BUNDLE).submitter, identity)
        Verifier(trusted_root=_trust(trust, offline=True).trusted_root).verify_artifact(data, proof, policy)
        return words


def _policy(submitter: str, identity: Identity | None) -> tuple[VerificationPolicy, str]:
    from sigstore.verify import policy

    if identity is not None:
        wanted = policy.Identity(identity=identity.name, issuer=identity.issuer)
        return wanted, f"signed by {identity.name}, for whom {identity.issuer} vouches; not by a numeric id"
    kind, _, number = submitter.partition(":")
    if kind != "github":
        raise UsageError(f"the submitter is {submitter}, so say who may have signed: --identity and --issuer")
    owner = policy.OIDCSourceRepositoryOwnerIdentifier(number)
    both = policy.AllOf([policy.OIDCIssuerV2(GITHUB_ACTIONS), owner])
    return both, f"signed by a workflow of GitHub Actions in a repository of {submitter}"


def _trust(file: Path | None, *, offline: bool) -> ClientTrustConfig:
    from sigstore.models import ClientTrustConfig

    if file is None:
        return ClientTrustConfig.production(offline=offline)
    return ClientTrustConfig.from_json(_read(file).decode("utf-8", "replace"))


@contextmanager
def _sigstore() -> Iterator[None]:
    """Every way in which sigstore, or what it was given, can fail, as one of our errors."""
    try:
        import requests
        from sigstore import errors
        from sigstore.models import InvalidBundle
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed; `pip install gymboard[sigstore]` brings it") from None
    try:
        yield
    except (errors.VerificationError, InvalidBundle) as error:
        raise VerificationError("sigstore", f"{PROOF} does not hold: {_line(error)}") from None
    except (errors.Error, requests.RequestException, ValueError) as error:
        raise GymboardError(f"sigstore: {_line(error)}") from None


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(char if char.isprintable() else "?" for char in text)[:500]


def _read(file: Path) -> bytes:
    with open_regular(file) as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UsageError(f"{file} has more than {MAX_BYTES:,} bytes")
    return data
