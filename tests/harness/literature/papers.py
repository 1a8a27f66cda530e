"""PDFs written by hand: a page a text, and the hostile ones."""

from __future__ import annotations

import zlib


def pdf(*texts: str) -> bytes:
    """A PDF with one page for each text, one line each."""
    return from_streams(*(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1") for text in texts))


def from_streams(*streams: bytes, compressed: bool = False) -> bytes:
    """A PDF whose pages have these content streams; `compressed`: they are zlib's bytes already."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, stream in enumerate(streams):
        page = f"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
        kind = b"/Filter /FlateDecode " if compressed else b""
        objects += [page.encode(), b"<< %b/Length %d >>\nstream\n%b\nendstream" % (kind, len(stream), stream)]
    return assembled(objects)


def assembled(objects: list[bytes]) -> bytes:
    """Numbered objects with a cross-reference table."""
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def bomb() -> bytes:
    """A page of half a GiB in half a MB."""
    packer = zlib.compressobj(9)
    piece = b"(a) Tj\n" * 150_000
    packed = b"".join(packer.compress(piece) for _ in range(512)) + packer.flush()
    return from_streams(packed, compressed=True)


def endless_tree() -> bytes:
    """Pages whose child is themselves."""
    return assembled(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R >>"]
    )
