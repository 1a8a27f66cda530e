"""`gymboard pack | sign | verify | check | import`: a run becomes an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import AsJson

import_app = typer.Typer(no_args_is_help=True, help="Turn foreign runs into entries of level reported.")
EntryFolder = Annotated[Path, typer.Argument(help="Folder that holds bundle.json.", metavar="ENTRY", file_okay=False)]
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

    if not (run / "run.json").is_file():
        raise UsageError(f"no run.json in {run}; give the folder of a run, as `gymboard run` printed it")
    manifest = RunManifest.from_json((run / "run.json").read_bytes(), subject="run.json")
    facts = {
        "id": entry_id or out.name,
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


def sign(
    entry: EntryFolder,
    key: Annotated[Path, typer.Option(help="SSH private key, or a .pub whose key ssh-agent holds.", dir_okay=False)],
) -> None:
    """Sign bundle.json with an SSH key; anyone can check it with stock ssh-keygen.

    Example: gymboard sign my-entry --key ~/.ssh/id_ed25519
    """
    from harness.signing import sign as sign_bundle

    typer.echo(f"signed: {sign_bundle(entry, key)}")


def verify(entry: EntryFolder, signers: SignersFile, as_json: AsJson = False) -> None:
    """Check signature, schema, canonical form, payload digests and every artifact's digest.

    Example: gymboard verify my-entry --signers allowed_signers

    Exit codes: 0 everything holds, 1 one check failed (the sentence names it), 2 wrong call.
    """
    from harness.cli.common import emit
    from harness.signing import Signers
    from harness.verify import verify as verify_bundle

    good = verify_bundle(entry, Signers.read(signers))
    if as_json:
        emit({"entry": good.bundle.entry.id, "principal": good.principal, "key": good.key_fingerprint})
    else:
        typer.echo(f"verified: {good.bundle.entry.id}, signed by {good.principal} with {good.key_fingerprint}")


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
