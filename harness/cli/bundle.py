"""`gymboard pack | sign | verify | check | import`: a run becomes an entry."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import AsJson, Mirror, Profile, ProfileChoice, SandboxChoice, SandboxKind, progress_bar

import_app = typer.Typer(no_args_is_help=True, help="Turn foreign runs into entries of level reported.")
TrustConfig = Annotated[
    Path | None,
    typer.Option(
        "--trust-config",
        help="Sigstore's client trust config; default: the public instance.",
        exists=True,
        dir_okay=False,
    ),
]
RevokedFile = Annotated[
    Path | None,
    typer.Option(
        envvar="GYMBOARD_REVOKED",
        help="Keys that count no more, or a KRL, as for ssh-keygen -r; default: the file revoked beside ENTRY.",
        exists=True,
        dir_okay=False,
    ),
]
EntryFolder = Annotated[
    Path, typer.Argument(help="Folder that holds bundle.json.", metavar="ENTRY", file_okay=False, exists=True)
]
SignersFile = Annotated[
    Path, typer.Option(help="Public keys, one a line, or an OpenSSH allowed-signers file.", dir_okay=False)
]


def pack(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="RUN", file_okay=False)],
    out: Annotated[Path, typer.Argument(help="Folder to make.", metavar="ENTRY")],
    submitter: Annotated[str, typer.Option(help="github:<numeric id>; local for what is never submitted.")],
    entry_id: Annotated[str, typer.Option("--id", help="Entry id; default the folder's name.")] = "",
    organization: Annotated[str | None, typer.Option(help="Who made the agent.")] = None,
    url: Annotated[str | None, typer.Option(help="Where the agent is described.")] = None,
    model_label: Annotated[str | None, typer.Option(help="How the board should print the model.")] = None,
    open_weights: Annotated[bool | None, typer.Option(help="Whether the model's weights are public.")] = None,
    location: Annotated[str | None, typer.Option(help="https folder where payload parts will lie.")] = None,
) -> None:
    """Pack a finished run into bundle.json and one payload part a task; the same run gives the same bytes.

    Keys, tokens, e-mail addresses and home paths are scrubbed from what is packed, and said here by kind and number;
    the run itself stays as it is. An artifact that holds a key is refused.

    Example: gymboard pack runs/baseline-official my-entry --submitter github:1234567
    """
    import json

    from harness.clock import now
    from harness.errors import UsageError
    from harness.pack import pack as pack_run
    from harness.schema.bundle import Entry
    from harness.schema.run import RunManifest
    from harness.scrub import Scrubber

    entry_id = entry_id or out.name
    _sound_words(entry_id, submitter, url, location)
    if not (run / "run.json").is_file():
        raise UsageError(f"no run.json in {run}; give the folder of a run, as `gymboard run` printed it")
    manifest = RunManifest.from_json((run / "run.json").read_bytes(), subject="run.json")
    facts = {
        "id": entry_id,
        "agent": manifest.agent,
        "agent_version": manifest.agent_version,
        "model": manifest.model,
        "model_label": model_label,
        "organization": organization,
        "url": url,
        "open_weights": open_weights,
        "date": (manifest.created or now())[:10],
    }
    entry = Entry.from_json(json.dumps(facts), subject="entry")
    scrubber = Scrubber()
    bundle = pack_run(run, out, entry, submitter, location=location, scrubber=scrubber)
    for where, kinds in scrubber.report().items():
        typer.echo(f"scrubbed: {where}: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}")
    size = sum(part.size_bytes for part in bundle.payload)
    typer.echo(f"packed {len(bundle.episodes)} episode(s), {len(bundle.payload)} part(s), {size:,} bytes: {out}")


def _sound_words(entry_id: str, submitter: str, url: str | None, location: str | None) -> None:
    """What is typed by hand, by the record's own types. Raises UsageError that says what each looks like."""
    from pydantic import TypeAdapter, ValidationError

    from harness.errors import UsageError
    from harness.schema.base import HttpsUrl, KebabId, Submitter

    words = (
        (entry_id, KebabId, "is no entry id: lower-case words joined by -, such as my-agent-2; name one with --id"),
        (submitter, Submitter, "is no submitter: github:<your numeric id> (gh api user --jq .id), or local"),
        (url, HttpsUrl, "is no https address, for --url"),
        (location, HttpsUrl, "is no https address, for --location; parts are fetched over https only"),
    )
    for word, form, said in words:
        try:
            if word is not None:
                TypeAdapter(form).validate_python(word)
        except ValidationError:
            raise UsageError(f"{word!r} {said}") from None


def sign(
    entry: EntryFolder,
    key: Annotated[Path, typer.Option(help="SSH private key, or a .pub whose key ssh-agent holds.", dir_okay=False)],
    sigstore: Annotated[
        bool, typer.Option("--sigstore", help="Also sign keyless, with an identity token; needs the extra sigstore.")
    ] = False,
    identity_token: Annotated[
        Path | None,
        typer.Option(help="File with the token; default: the machine's, as in GitHub Actions.", exists=True),
    ] = None,
    trust: TrustConfig = None,
) -> None:
    """Sign bundle.json with an SSH key; anyone can check it with stock ssh-keygen.

    Example: gymboard sign my-entry --key ~/.ssh/id_ed25519
    """
    from harness.signing import sign as sign_bundle

    typer.echo(f"signed: {sign_bundle(entry, key)}")
    if sigstore:
        from harness.keyless import sign_keyless

        token = identity_token.read_text(encoding="utf-8").strip() if identity_token else None
        typer.echo(f"signed: {sign_keyless(entry, token, trust)}")


def verify(
    entry: EntryFolder,
    signers: Annotated[
        Path | None, typer.Option(help="Public keys, one a line, or an OpenSSH allowed-signers file.", dir_okay=False)
    ] = None,
    how: Annotated[
        bool, typer.Option("--how", help="Also print the four shell lines that do it with OpenSSH and sha256sum alone.")
    ] = False,
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="With --how: where the folder is served; default: as given.")
    ] = "",
    revoked: RevokedFile = None,
    sigstore: Annotated[
        bool, typer.Option("--sigstore", help="Also hold it to its keyless signature, offline; needs the extra.")
    ] = False,
    identity: Annotated[
        str, typer.Option(help="With --sigstore: who signed; default: a workflow in the submitter's own repository.")
    ] = "",
    issuer: Annotated[str, typer.Option(metavar="URL", help="With --identity: who vouches for that name.")] = "",
    trust: TrustConfig = None,
    as_json: AsJson = False,
) -> None:
    """Check signature, schema, canonical form, payload digests and every artifact's digest.

    Example: gymboard verify my-entry --signers allowed_signers

    With --how and without --signers nothing is verified: the lines name the key that the signature names, and whose it
    is remains to be asked. Exit codes: 0 everything holds, 1 one check failed (the sentence names it), 2 wrong call.
    """
    from harness.cli.common import emit
    from harness.errors import UsageError
    from harness.revoked import revoked_beside
    from harness.signing import Signers
    from harness.verify import verify as verify_bundle

    if signers is None and not how:
        raise UsageError("--signers is missing: whose keys count? --how alone needs none")
    if signers is not None:
        good = verify_bundle(entry, Signers.read(signers, revoked or revoked_beside(entry)))
        if as_json:
            emit({"entry": good.bundle.entry.id, "principal": good.principal, "key": good.key_fingerprint})
        else:
            typer.echo(f"verified: {good.bundle.entry.id}, signed by {good.principal} with {good.key_fingerprint}")
    if sigstore:
        from harness.keyless import Identity, verify_keyless

        if bool(identity) != bool(issuer):
            raise UsageError("--identity and --issuer belong together: a name, and who vouches for it")
        who = Identity(identity, issuer) if identity else None
        typer.echo(f"verified: sigstore, {verify_keyless(entry, who, trust)}", err=as_json)
    if how:
        for line in _by_hand(entry, source):
            typer.echo(line)


def _by_hand(entry: Path, source: str) -> tuple[str, ...]:
    from hashlib import sha256

    from harness.by_hand import by_hand
    from harness.schema.bundle import Bundle
    from harness.sshsig import public_key
    from harness.verify import read_bundle, read_signature

    data = read_bundle(entry)
    bundle = Bundle.from_json(data, subject=str(entry))
    return by_hand(bundle, sha256(data).hexdigest(), public_key(read_signature(entry)), source or str(entry.resolve()))


@import_app.command()
def mlgym(
    path: Annotated[Path, typer.Argument(help="Folder or .tar.zst of MLGym runs.")],
    submissions: Annotated[Path, typer.Option(help="Where the entries go.")] = Path("submissions"),
) -> None:
    """Import MLGym runs: one entry of level reported a model, figures only.

    Example: gymboard import mlgym trajectories/mlgym_bench_v0
    """
    from harness.importers.mlgym import import_mlgym, write_entries

    for written in write_entries(import_mlgym(path), submissions):
        typer.echo(written)
    if (submissions / "ledger.jsonl").exists():
        typer.echo("this folder has a ledger: new entries are shown after gymboard ledger include ENTRY")


@import_app.command()
def episode(
    name: Annotated[str, typer.Argument(metavar="MODEL/TASK", help="Which published episode, as for gymboard watch.")],
    out: Annotated[Path, typer.Argument(help="Folder to make.", metavar="EPISODE")],
    seed: Annotated[int, typer.Option(min=0, help="Which of its runs.")] = 1,
    profile: Profile = ProfileChoice.official,
    mirror: Mirror = None,
) -> None:
    """Turn an episode that MLGym published into one that `gymboard replay` executes.

    Example: gymboard import episode claude-3-5-sonnet/colonel-blotto blotto-0 --seed 0

    Its text stays under CC BY-NC 4.0. Exit codes: 0 made, 1 the recording cannot be had whole, 2 wrong call.
    """
    from harness.importers.published import fetch, find
    from harness.importers.traj import read_traj
    from harness.importers.translate import agent_of, translate
    from harness.schema.task import load_task, tasks_root

    source = find(name, seed)
    folder = tasks_root() / source.task
    made = translate(source, read_traj(fetch(source, mirror), source.name), load_task(folder), profile.value)
    made.write(out, agent_of(source), (folder / "instruction.md").read_text(encoding="utf-8"))
    typer.echo(f"{len(made.steps)} steps, the first {made.started_with} write upstream's files: {out}")


@import_app.command("regrade-paper")
def regrade_paper(
    out: Annotated[Path, typer.Option(help="The table to write, tab-separated.", dir_okay=False)],
    cache: Annotated[Path | None, typer.Option(help="Folder of verdicts, to go on after an interruption.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Grades at a time.")] = 1,
    sandbox: SandboxKind = SandboxChoice.auto,
    mirror: Mirror = None,
) -> None:
    """Grade every published score of MLGym's three games again, from the strategies that its recordings show.

    Example: gymboard import regrade-paper --out harness/schema/paper.tsv --cache /tmp/verdicts

    Takes hours on two cores. Exit codes: 0 every score of an untouched run agrees, 1 one differs, 2 wrong call.
    """
    from harness.cli.images import ensure
    from harness.files import replace_file
    from harness.importers.regrade_paper import published_scores, regrade_scores
    from harness.sandbox import open_engine
    from harness.schema.paper import write_rows

    scores = list(published_scores(mirror))
    bar, _ = progress_bar(quiet=False)
    with open_engine(sandbox.value) as engine, bar:
        ensure("cpu", engine.kind)
        task = bar.add_task("grading", total=None)
        rows = regrade_scores(
            scores, engine, cache, workers, lambda done, total, label: bar.update(task, completed=done, total=total)
        )
    replace_file(out, write_rows(rows).encode())
    counts = Counter(row.finding for row in rows)
    typer.echo(f"{len(rows)} scores: {', '.join(f'{n} {finding}' for finding, n in counts.most_common())}: {out}")
    raise typer.Exit(1 if counts["differs"] else 0)
