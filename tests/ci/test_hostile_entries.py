"""Hostile pull requests, each by the board's own preview: refused by its code, and nothing was graded.

The entry is sound but for the one thing that a row spoils, and signed with its submitter's own key wherever she could.
Takes longer than other files of tests: every row calls the commands that the robot calls, in the robot's script.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from tests.ci.hostile_entry import NAME, PART, TASK, Pull, entry_of, honest, keys
from tests.harness.sign.builder import stock_sign, strategy

Spoil = Callable[[Pull], None]
INSIDE = f"{TASK}/seed-0"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """(the entry, its submitter's key, a stranger's key)"""
    place = tmp_path_factory.mktemp("sound")
    key, other = keys(place)
    return honest(place, key), key, other


@pytest.fixture
def pull(tmp_path: Path, sound: tuple[Path, Path, Path]) -> Pull:
    return Pull(tmp_path, sound[1], sound[0])


def test_the_sound_entry_would_be_graded(pull: Pull) -> None:
    code, out, calls = pull.preview()
    assert (code, calls[-1]) == (0, "regrade"), out


def episode(**fields: Any) -> Spoil:
    return lambda pull: pull.edit(lambda tree: tree["episodes"][0].update(fields))


def limits(pull: Pull) -> None:
    """More steps, more money, more time than the task allows."""
    spent = {"reported_cost_usd": 99.0, "wall_s": 1e6}
    episode(steps=51, trace="B" * 51, actions={"Bash": 51}, usage=spent)(pull)


def two_seeds_of_four(pull: Pull) -> None:
    """The two bad seeds of an official run are left out."""
    shutil.rmtree(pull.entry)
    shutil.copytree(entry_of(pull.folder / "four", strategy(1), 2.6, seeds=4), pull.entry)

    def drop(tree: dict[str, Any]) -> None:
        tree["profile"] = "official"
        tree["episodes"] = [{**one, "profile": "official"} for one in tree["episodes"][:2]]

    pull.edit(drop)


def unsigned_score(pull: Pull) -> None:
    file = pull.entry / "bundle.json"
    file.write_bytes(file.read_bytes().replace(b"2.6", b"3.1"))


def other_payload(pull: Pull) -> None:
    data = bytearray((pull.entry / PART).read_bytes())
    data[-5] ^= 1
    (pull.entry / PART).write_bytes(bytes(data))


def anothers_signature(pull: Pull) -> None:
    """A true signature of the same submitter, over another entry of hers."""
    other = honest(pull.folder / "second", pull.key, organization="Genius")
    shutil.copy(other / "bundle.json.sig", pull.entry / "bundle.json.sig")


def wide_claim(pull: Pull) -> None:
    pull.edit(lambda tree: tree.update(submitter="github:99"))


def claimed_level(pull: Pull) -> None:
    pull.edit(lambda tree: tree.update(level="reproduced"))


def frame(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(data)


def tar(*members: tuple[str, dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as opened:
        for name, fields in members:
            info = tarfile.TarInfo(name)
            for field, value in fields.items():
                setattr(info, field, value)
            opened.addfile(info)
    return frame(out.getvalue())


def member(name: str, **fields: Any) -> Spoil:
    return lambda pull: pull.put_part(tar((name, fields)))


def bomb(pull: Pull) -> None:
    """400 MiB of zeros as one log, in a few kilobytes."""
    info = tarfile.TarInfo(f"{INSIDE}/steps.jsonl")
    info.size = 400 << 20
    pull.put_part(frame(info.tobuf(tarfile.USTAR_FORMAT) + bytes(info.size) + bytes(1024)))


def million_files(pull: Pull) -> None:
    """A million empty files of one artifact, each with a sound header, in an archive that is well formed to its end."""
    first = np.frombuffer(tarfile.TarInfo(f"{INSIDE}/attempts/0/{0:07}").tobuf(tarfile.USTAR_FORMAT), np.uint8)
    digits_at = len(f"{INSIDE}/attempts/0/")
    zero = int(bytes(first[148:154]), 8)
    packer = zstandard.ZstdCompressor(level=1).compressobj(size=512 * 1_000_000 + 1024)
    packed = []
    for start in range(0, 1_000_000, 50_000):
        numbers = np.arange(start, start + 50_000)
        blocks = np.tile(first, (len(numbers), 1))
        digits = np.stack([numbers // 10**power % 10 for power in range(6, -1, -1)], axis=1)
        blocks[:, digits_at : digits_at + 7] = digits + ord("0")
        sums = zero + digits.sum(axis=1)
        blocks[:, 148:154] = np.stack([sums >> shift & 7 for shift in range(15, -1, -3)], axis=1) + ord("0")
        packed.append(packer.compress(blocks.tobytes()))
    data = b"".join([*packed, packer.compress(bytes(1024)), packer.flush()])
    last = zstandard.ZstdDecompressor().stream_reader(data)
    last.read(512 * 4321)
    assert tarfile.TarInfo.frombuf(last.read(512), "ascii", "strict").name == f"{INSIDE}/attempts/0/0004321"
    pull.put_part(data)


def files_beside(pull: Pull) -> None:
    """Files that bundle.json does not name; names for a shell, a pipe, a link, and a YAML bomb among ten thousand."""
    for number in range(10_000):
        (pull.entry / f"f{number}").touch()
    (pull.entry / "$(touch owned)").touch()
    (pull.entry / "link").symlink_to("/etc/passwd")
    levels = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    (pull.entry / "action.yml").write_text("\n".join(levels))


def instead(data: bytes) -> Spoil:
    """These bytes as bundle.json, signed."""

    def spoil(pull: Pull) -> None:
        (pull.entry / "bundle.json").write_bytes(data)
        pull.sign()

    return spoil


def doubled(pull: Pull) -> None:
    """A key twice: one reader takes the first, another the last."""
    file = pull.entry / "bundle.json"
    file.write_bytes(
        file.read_bytes().replace(b'"profile": "smoke"', b'"profile": "smoke",\n "profile": "official"', 1)
    )
    pull.sign()


def pipe_for_a_part(pull: Pull) -> None:
    (pull.entry / PART).unlink()
    os.mkfifo(pull.entry / PART)


def device_for_a_bundle(pull: Pull) -> None:
    (pull.entry / "bundle.json").unlink()
    (pull.entry / "bundle.json").symlink_to("/dev/zero")


ROWS: dict[str, tuple[Spoil, str]] = {  # codes, each of which is said, or one phrase
    "changed limits": (limits, "GB205 GB206 GB207"),
    "missing failures": (two_seeds_of_four, "GB201"),
    "edited score": (unsigned_score, "signature"),
    "swapped payload": (other_payload, "GB002 payload digest"),
    "signature of another entry": (anothers_signature, "signature"),
    "key of another person": (wide_claim, "signature"),
    "a level claimed in the bundle": (claimed_level, "GB001"),
    "bomb": (bomb, "GB002 archive"),
    "million files": (million_files, "more than 10000 files"),
    "traversal": (member("../../../etc/cron.d/x"), "GB002 payload names"),
    "absolute name": (member("/etc/passwd"), "GB002 payload names"),
    "device": (member(f"{INSIDE}/steps.jsonl", type=tarfile.CHRTYPE, devmajor=1, devminor=5), "GB002 archive"),
    "pipe": (member(f"{INSIDE}/steps.jsonl", type=tarfile.FIFOTYPE), "GB002 archive"),
    "link": (member(f"{INSIDE}/steps.jsonl", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "GB002 archive"),
    "files beside": (files_beside, "GB002 files"),
    "pipe for a part": (pipe_for_a_part, "GB002 files"),
    "device for a bundle": (device_for_a_bundle, "GB002 files"),
    "deep JSON": (instead(b"[" * 2_000_000), "GB001"),
    "long number": (instead(b'{"schema_version": ' + b"9" * 1_000_000 + b"}"), "GB001"),
    "doubled key": (doubled, "GB001"),
    "over the cap": (instead(b" " * (17 << 20)), "GB002 files"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_hostile_entry_is_refused_by_its_code_and_nothing_is_graded(
    pull: Pull, sound: tuple[Path, Path, Path], row: str
) -> None:
    spoil, said = ROWS[row]
    spoil(pull)
    code, out, calls = pull.preview()
    wanted = said.split() if said.startswith("GB2") else [said]
    assert code == 1 and all(each in out for each in wanted), out[-3000:]
    assert "regrade" not in calls
    assert "Traceback" not in out
    assert not list(pull.folder.rglob("owned"))
    assert len(out) < 100_000


def test_a_key_that_the_author_does_not_publish(pull: Pull, sound: tuple[Path, Path, Path]) -> None:
    pull.sign(sound[2])
    code, out, calls = pull.preview()
    assert (code, "regrade" in calls) == (1, False)
    assert "signature" in out


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1"])
def test_a_part_at_loopback_is_not_asked_for(pull: Pull, host: str) -> None:
    """A service of the robot's own machine must not even see a connection."""
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        service.listen()
        service.settimeout(0.2)
        (pull.entry / PART).unlink()
        address = f"https://{host}:{service.getsockname()[1]}/{PART}"
        pull.edit(lambda tree: tree["payload"][0].update(location=address))
        code, out, calls = pull.preview()
        assert (code, "regrade" in calls) == (1, False)
        assert "not a public address" in out, out
        with pytest.raises(TimeoutError):
            service.accept()


METACHARACTERS = "\"';$(touch owned)`touch owned`|touch owned&>owned <script>alert(1)</script> @ada [x](javascript:1)"


def test_metacharacters_in_every_text_reach_no_shell_and_no_command_to_github(pull: Pull) -> None:
    """They are text: the entry is otherwise sound, so it is refused for none of them."""

    def spoil(tree: dict[str, Any]) -> None:
        short = METACHARACTERS[:100]
        tree["entry"].update(agent=short, agent_version=short, model=short, model_label=short, organization=short)
        tree["hardware"].update(cpu=METACHARACTERS, gpu=METACHARACTERS)
        tree["episodes"][0]["exit_detail"] = METACHARACTERS

    pull.edit(spoil)
    code, out, calls = pull.preview()
    assert (code, calls[-1]) == (0, "regrade"), out
    assert not list(pull.folder.rglob("owned"))


@pytest.mark.parametrize("text", ["::set-output name=x::y\r\n", "\x1b]0;owned\x07", "\u202egnp.exe"])
def test_what_could_steer_a_terminal_or_a_log_is_no_text(pull: Pull, text: str) -> None:
    pull.edit(lambda tree: tree["entry"].update(agent=text))
    code, out, calls = pull.preview()
    assert (code, "regrade" in calls) == (1, False)
    assert "GB001" in out and text not in out


@pytest.mark.parametrize(("value", "refused"), [(2.6, True), (2.38, False)])
def test_somebody_elses_payload_signed_again(pull: Pull, value: float, refused: bool) -> None:
    """What she handed in is on the board; the same bytes come under my name. No better than the starter: anybody's."""
    pull.publish(entry_of(pull.folder / "hers", strategy(1), value), "hers", "github:99", agent="react")

    def claim(tree: dict[str, Any]) -> None:
        for attempt in tree["episodes"][0]["attempts"]:
            attempt["sealed"]["metrics"]["mean_payoff"] = value

    pull.edit(claim)
    code, out, calls = pull.preview()
    assert (code, "GB111" in out, "regrade" in calls) == ((1, True, False) if refused else (0, False, True)), out
    assert not refused or "is of hers" in out


def test_somebody_elses_entry_cannot_be_renamed_to_ones_own(pull: Pull, sound: tuple[Path, Path, Path]) -> None:
    """Her bundle under my id, signed by me: the id in it is signed too, and my key is not hers."""
    shutil.move(pull.entry, pull.theirs / "mine")
    stock_sign(pull.theirs / "mine", sound[2])
    code, out, calls = pull.preview()
    assert (code, "regrade" in calls) == (1, False)
    assert "signature" in out and "GB101" in out
    assert json.loads((pull.theirs / "mine" / "bundle.json").read_bytes())["entry"]["id"] == NAME
