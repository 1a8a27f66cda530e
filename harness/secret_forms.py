"""Secrets that do not look like one: in base64, percent-encoded, with escapes, or broken by a line's end.

Takes text and a cleaner of plain text, gives the text with what the cleaner finds inside taken out, in the same form,
and counts it as `<kind> (<form>)`. Looks into forms within forms, DEPTH deep. Every pattern is anchored and bounded:
hostile text costs linear time.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import takewhile
from urllib.parse import quote, unquote

from harness.secret_kinds import KINDS, MARK, Kind

Clean = Callable[[str, "Counter[str]"], str]
DEPTH, LEAST = 2, 8
_LEFT = 256
_BREAK = r"(?:\\?\r?\n|(?:\\r)?\\n)"

# Base64 of ASCII: of each four characters the first three can be half of the alphabet only.
_FOUR = r"[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_LAST = r"(?:[A-Za-f][A-HQ-Xg-nw-z0-3][AEIMQUYcgkosw048]=?|[A-Za-f][AQgw](?:==)?)"
_BASE64 = re.compile(rf"(?:{_FOUR}{_BREAK}?){{4,}}{_LAST}?")

_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}(?:[A-Za-z0-9_.~+@:/=-]|%[0-9A-Fa-f]{2})*")
_ESCAPES = re.compile(
    r"(?:\\u00[0-7][0-9A-Fa-f]|\\x[0-7][0-9A-Fa-f]|\\/)"
    r"(?:[A-Za-z0-9_.~+@:/=-]|\\u00[0-7][0-9A-Fa-f]|\\x[0-7][0-9A-Fa-f]|\\/)*"
)
_ESCAPE = re.compile(r"\\(?:u00([0-7][0-9A-Fa-f])|x([0-7][0-9A-Fa-f])|(/))")
_RUN = re.compile(r"[A-Za-z0-9_.~+@:/=-]*")

_TOKENS = tuple(kind for kind in KINDS if kind.start)
_BROKEN = re.compile(
    rf"(?<![A-Za-z0-9_-])(?:{'|'.join(sorted({kind.start for kind in _TOKENS}))})"
    rf"[A-Za-z0-9_.-]{{0,512}}(?:{_BREAK}[A-Za-z0-9_.-]{{1,512}}){{1,6}}"
)
_AT_BREAKS = re.compile(_BREAK)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-")


def without_forms(text: str, found: Counter[str], clean: Clean, depth: int = 0) -> str:
    """The text, with what `clean` takes out of its decoded parts."""
    if depth == DEPTH:
        return text
    if "\\" in text:
        text = _each(text, _ESCAPES, "escaped", _unescaped, str, found, clean, depth)
    if "%" in text:
        text = _each(text, _PERCENT, "percent-encoded", unquote, _quoted, found, clean, depth)

    def decoded(match: re.Match[str]) -> str:
        return _inside(match[0], "base64", _of_base64, _to_base64(match[0]), found, clean, depth)

    return _BASE64.sub(decoded, text)


def without_broken(text: str, found: Counter[str], kinds: tuple[Kind, ...] = KINDS) -> str:
    """The text without tokens that a line's end goes through. What follows such an end belongs to the token when it
    looks as arbitrary as one."""
    made, done, at = [], 0, 0
    while match := _BROKEN.search(text, at):
        name, end = _broken(match, kinds)
        if not name:
            at = match.start() + 2
            continue
        found[f"{name} (broken)"] += 1
        made += [text[done : match.start()], MARK + name]
        done = at = end
    return "".join([*made, text[done:]])


def without_broken_value(text: str, found: Counter[str], value: str, kind: str) -> str:
    """The text without a value that is known, where a line's end goes through it."""
    text, number = _with_breaks(value).subn(MARK + kind, text) if "\n" in text or "\\n" in text else (text, 0)
    if number:
        found[f"{kind} (broken)"] += number
    return text


@lru_cache(maxsize=256)
def _with_breaks(value: str) -> re.Pattern[str]:
    return re.compile(f"{_BREAK}?".join(map(re.escape, value)))


def _broken(match: re.Match[str], kinds: tuple[Kind, ...]) -> tuple[str, int]:
    """The kind of token that begins here and goes on behind a break, and where it ends; no name when none does."""
    (first, _), *after = _parts(match)
    rest = list(takewhile(lambda part: _arbitrary(part[0]), after))
    for kind in _TOKENS if rest else ():
        if kind not in kinds or not re.match(kind.start, first):
            continue
        mixed = kind.pattern.match(first) is not None
        behind = list(takewhile(lambda part: _of_both_cases(part[0]), rest)) if mixed else rest
        for number in range(len(behind), 0, -1):
            joined = first + "".join(part for part, _ in behind[:number])
            if (whole := kind.pattern.match(joined)) and whole.end() == len(joined):
                return kind.name, behind[number - 1][1]
    return "", 0


def _parts(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    """What stands between the breaks, and where in the text each part ends."""
    at = 0
    for found in [*_AT_BREAKS.finditer(match[0]), None]:
        end = found.start() if found else len(match[0])
        yield match[0][at:end], match.start() + end
        at = found.end() if found else end


def _arbitrary(part: str) -> bool:
    """Letters and digits in a row that is no word and no date."""
    mixed = any(c.isdigit() for c in part) and any(c.isalpha() for c in part)
    return len(part) >= LEAST and mixed and not _DATE.match(part)


def _of_both_cases(part: str) -> bool:
    """What is asked more of what stands behind a token that is whole without it."""
    return any(c.isupper() for c in part) and any(c.islower() for c in part)


def _each(
    text: str,
    pattern: re.Pattern[str],
    form: str,
    decode: Callable[[str], str],
    encode: Callable[[str], str],
    found: Counter[str],
    clean: Clean,
    depth: int,
) -> str:
    """Every match, with the plain characters that stand before it."""
    made, done = [], 0
    for match in pattern.finditer(text):
        before = text[max(done, match.start() - _LEFT) : match.start()]
        run = _RUN.match(before[::-1])
        begin = match.start() - (run.end() if run else 0)
        if match.end() - begin < LEAST:
            continue
        made += [text[done:begin], _inside(text[begin : match.end()], form, decode, encode, found, clean, depth)]
        done = match.end()
    return "".join([*made, text[done:]])


def _inside(
    hidden: str,
    form: str,
    decode: Callable[[str], str],
    encode: Callable[[str], str],
    found: Counter[str],
    clean: Clean,
    depth: int,
) -> str:
    inner: Counter[str] = Counter()
    plain = without_forms(clean(decode(hidden), inner), inner, clean, depth + 1)
    if not inner:
        return hidden
    found.update({f"{kind} ({form})": number for kind, number in inner.items()})
    return encode(plain)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: match[3] or chr(int(match[1] or match[2], 16)), text)


def _quoted(text: str) -> str:
    return quote(text, safe="/:@=+~")


def _of_base64(text: str) -> str:
    """ASCII by the pattern, but for a last character that is cut off."""
    letters = _AT_BREAKS.sub("", text).rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode("ascii", "replace")


def _to_base64(like: str) -> Callable[[str], str]:
    """In the alphabet of what it replaces, with padding where that had it."""
    code = base64.urlsafe_b64encode if "-" in like or "_" in like else base64.b64encode
    return lambda text: code(text.encode()).decode() if like.endswith("=") else code(text.encode()).decode().rstrip("=")
