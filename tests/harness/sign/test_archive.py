"""The archive reader against archives that a hostile submitter would make, each signed and with a true digest."""

from __future__ import annotations

import hashlib
import io
import re
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from harness.archive import ArchiveCaps, open_regular, read_archive
from harness.errors import VerificationError
from harness.verify import verify
from tests.harness.sign.builder import Signed

ROOT = Path(__file__).resolve().parents[3]
PART = "tiny-play.tar.zst"


def unpacked(signed: Signed) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader((signed.folder / PART).read_bytes()).read()


def put(signed: Signed, packed: bytes) -> None:
    """Exchange the part and sign the bundle that states it truly."""
    (signed.folder / PART).write_bytes(packed)

    def change(tree: dict[str, object]) -> None:
        part = next(part for part in tree["payload"] if part["name"] == PART)  # type: ignore[attr-defined]
        part.update(sha256=hashlib.sha256(packed).hexdigest(), size_bytes=len(packed))

    signed.rewrite(change)


def refusal(signed: Signed) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(signed.folder, signed.signers)
    return str(caught.value)


def compress(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(data)


def tar_of(*infos: tuple[tarfile.TarInfo, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in infos:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def info(name: str, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


STEPS = "tiny-play/seed-0/steps.jsonl"


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (info(STEPS, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "not canonical"),
        (info(STEPS, type=tarfile.LNKTYPE, linkname=STEPS), "not canonical"),
        (info(STEPS, type=tarfile.CHRTYPE, devmajor=1, devminor=3), "not canonical"),
        (info(STEPS, type=tarfile.FIFOTYPE), "not canonical"),
        (info("tiny-play/seed-0", type=tarfile.DIRTYPE), "not canonical"),
        (info(STEPS, mode=0o4755), "not canonical"),
        (info(STEPS, uid=1000, uname="me"), "not canonical"),
        (info(STEPS, mtime=1), "not canonical"),
        (info("/etc/passwd"), "belongs to no episode"),
        (info("tiny-play/seed-0/attempts/2/../../../../x"), "belongs to no episode"),
        (info("tiny-play/seed-0/attempts/2/a//b"), "belongs to no episode"),
        (info("tiny-play/seed-9/steps.jsonl"), "belongs to no episode"),
        (info("tiny-predictions/seed-0/steps.jsonl"), "belongs to no episode"),
        (info("tiny-play/seed-0/secrets.env"), "is no log"),
        (info("tiny-play/seed-0/attempts/7/strategy.py"), "belongs to no attempt"),
        (info("tiny-play/seed-0/attempts/02/strategy.py"), "belongs to no attempt"),
        (info("tiny-play/seed-1/attempts/1/strategy.py"), "belongs to no attempt"),
        (info("tiny-play/seed-0/attempts/2/extra.py"), "artifact digest"),
        (info("tiny-play/seed-0/attempts/\u0662/strategy.py"), "header that cannot be read"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else None,
)
def test_members_that_a_bundle_does_not_have(signed: Signed, member: tarfile.TarInfo, says: str) -> None:
    put(signed, compress(tar_of((member, b"x = 1\n"))[:1024] + bytes(1024)))
    assert says in refusal(signed)


def test_headers_that_are_extensions(signed: Signed) -> None:
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        long = info("tiny-play/seed-0/attempts/2/" + "a" * 300)
        put(signed, compress(tar_of((long, b"x"), form=form)))
        assert "archive" in refusal(signed)


def reshaped(change: Callable[[bytes], bytes]) -> Callable[[Signed], bytes]:
    return lambda signed: compress(change(unpacked(signed)))


def swapped(data: bytes) -> bytes:
    """The first member behind the second: not sorted."""
    size = int(data[124:135], 8)
    first = 512 + size + -size % 512
    size = int(data[first + 124 : first + 135], 8)
    second = first + 512 + size + -size % 512
    return data[first:second] + data[:first] + data[second:]


def padded(data: bytes) -> bytes:
    size = int(data[124:135], 8)
    return data[: 512 + size] + b"hidden" + data[512 + size + 6 :]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (reshaped(lambda data: data[:-1024] + bytes(10240)), "after its end"),
        (reshaped(lambda data: data + b"hidden"), "after its end"),
        (reshaped(lambda data: data[:-512]), "ends too early"),
        (reshaped(lambda data: data[:700]), "ends too early"),
        (reshaped(lambda data: data[:-1024] + data), "not sorted, or names"),
        (reshaped(swapped), "not sorted"),
        (reshaped(padded), "in the padding"),
        (reshaped(lambda data: data[-1024:]), "lacks tiny-play/seed-0/steps.jsonl"),
        (lambda signed: unpacked(signed), "not a zstd frame"),
        (lambda signed: b"", "not a zstd frame"),
        (lambda signed: compress(unpacked(signed)) + b"hidden", "exactly one zstd frame"),
        (lambda signed: compress(unpacked(signed)) + b"\x50\x2a\x4d\x18\x06\0\0\0hidden", "exactly one zstd frame"),
        (lambda signed: compress(unpacked(signed)) + compress(b"more"), "exactly one zstd frame"),
        (lambda signed: compress(unpacked(signed))[:-9], "exactly one zstd frame"),
        (lambda signed: zstandard.ZstdCompressor(write_content_size=False).compress(unpacked(signed)), "not declare"),
    ],
)
def test_archives_that_hide_or_lack_something(signed: Signed, make: Callable[[Signed], bytes], says: str) -> None:
    put(signed, make(signed))
    assert says in refusal(signed)


def test_damage_inside_a_true_digest_never_passes_as_something_else(signed: Signed) -> None:
    """Flip bytes below the digest: the reader alone must hold, and never fail but by its own error."""
    honest = (signed.folder / PART).read_bytes()
    file = signed.folder.parent / "damaged"
    expected = [(member.name, member.read()) for member in _members(signed.folder / PART)]
    for at in range(len(honest)):
        file.write_bytes(honest[:at] + bytes([honest[at] ^ 0x10]) + honest[at + 1 :])
        try:
            assert [(member.name, member.read()) for member in _members(file)] == expected
        except VerificationError as error:
            assert error.check == "archive"


def _members(file: Path, caps: ArchiveCaps | None = None) -> list[object]:
    with open_regular(file) as opened:
        return [_Kept(member.name, member.read()) for member in read_archive(opened, file.name, caps or ArchiveCaps())]


class _Kept:
    def __init__(self, name: str, data: bytes) -> None:
        self.name, self._data = name, data

    def read(self) -> bytes:
        return self._data


def zero_frame(size: int, prefix: bytes = b"", *, declared: int | None = None) -> bytes:
    """A valid zstd frame of `prefix` and zeros: RLE blocks, four bytes for each 128 KiB."""
    whole, rest = divmod(size - len(prefix), 128 << 10)
    head = b"\x28\xb5\x2f\xfd" + bytes([0b11000000, 13 << 3]) + (declared or size).to_bytes(8, "little")
    raw = (len(prefix) << 3).to_bytes(3, "little") + prefix
    run = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return head + raw + run * whole + (rest << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\0"


def huge_member(name: str) -> bytes:
    return info(name, size=(8 << 30) - 1).tobuf(tarfile.USTAR_FORMAT)


TEN_GB = 10 << 30
BOMBS = {
    "declared": lambda: zero_frame(TEN_GB, huge_member(STEPS)),
    "declared-small": lambda: zero_frame(TEN_GB, huge_member(STEPS), declared=4096),
    "just-under-the-cap": lambda: zero_frame((4 << 30) - 1, huge_member(STEPS)),
    "undeclared": lambda: b"\x28\xb5\x2f\xfd" + bytes([0, 13 << 3]) + zero_frame(TEN_GB, huge_member(STEPS))[14:],
    "artifact": lambda: zero_frame(TEN_GB, huge_member("tiny-play/seed-0/attempts/2/strategy.py")),
    "window": lambda: b"\x28\xb5\x2f\xfd" + bytes([0b11000000, 21 << 3]) + zero_frame(4096)[6:],
    "many": lambda: compress(b"".join(info(f"tiny-play/seed-0/attempts/2/{n:06}").tobuf() for n in range(60_000))),
}


BOMB_SAYS = {
    "declared": "unpacks to more than 4294967296 bytes",
    "declared-small": "is damaged",
    "just-under-the-cap": "unpacks to more than 250 times",
    "undeclared": "does not declare its unpacked size",
    "artifact": "unpacks to more than 4294967296 bytes",
    "window": "requires too much memory",
    "many": "more than 10000 files",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_without_memory(signed: Signed, bomb: str) -> None:
    """In a process of its own that may have 1 GiB of address space; its peak must stay near an honest one's."""
    (signed.folder.parent / "signers").write_text(signed.key.with_suffix(".pub").read_text())
    honest = _peak(signed)
    packed = BOMBS[bomb]()
    assert len(packed) < 400_000
    put(signed, packed)
    assert _peak(signed, refusal=BOMB_SAYS[bomb]) < honest + 40_000


def _peak(signed: Signed, *, refusal: str = "") -> int:
    """Peak memory of one verify, in KiB; it must be refused for the very reason `refusal`, when one is given."""
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from harness.errors import VerificationError; from harness.signing import Signers\n"
        "from harness.verify import verify\n"
        "try: verify(Path(sys.argv[1]), Signers.read(Path(sys.argv[2])))\n"
        "except VerificationError as error: print(error.check, error, file=sys.stderr); code = 1\n"
        "else: code = 0\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(signed.folder), str(signed.folder.parent / "signers")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert done.returncode == int(bool(refusal)), done.stderr
    assert re.search(refusal, done.stderr), done.stderr
    return int(done.stdout)


@pytest.mark.parametrize(
    ("caps", "says"),
    [
        ({"members": 3}, "3 files"),
        ({"packed": 99}, "99 are read"),
        ({"unpacked": 4096}, "more than 4096 bytes"),
        ({"ratio": 2, "ratio_from": 0}, "more than 2 times"),
    ],
)
def test_caps_on_files_and_size(signed: Signed, caps: dict[str, int], says: str) -> None:
    with pytest.raises(VerificationError, match=says):
        _members(signed.folder / PART, ArchiveCaps(**caps))
