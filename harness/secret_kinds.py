"""What must not be published: patterns of keys and tokens, and of what names a person.

Takes text, gives the kinds found in it or the text without them. The patterns start at the beginning of a run of
characters and are bounded, so hostile text costs linear time. The board's check and the packer use this one list; a
value that has no known shape (a bare word) is found only by who holds it, see harness.scrub.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MARK = "SCRUBBED-"
"""What is put in place of a find, followed by its kind: plain characters, the same word to a shell as before."""
_ENDINGS = "com|org|net|edu|gov|mil|int|info|biz|dev|app|io|ai|co|cloud|tech|xyz|[a-z]{2}"
_NOT_PERSONS = r"(?:git@|[^@\s]{1,64}@(?:[a-z0-9-]+\.)*(?:example\.(?:com|org|net)|noreply\.github\.com)\b)"
_OUR_USERS = r"(?:agent|player|user|runner|SCRUBBED-user)"


@dataclass(frozen=True)
class Kind:
    """One kind of find. `group` 1 of the pattern is what goes, the whole match when it has none. `secret`: it opens a
    door; else it names a person or a machine. `start`: a pattern of its first two characters, where it is one word.
    """

    name: str
    pattern: re.Pattern[str]
    secret: bool = True
    start: str = ""


def _token(name: str, start: str, body: str) -> Kind:
    return Kind(name, re.compile(rf"(?<![A-Za-z0-9_-])(?:{body})(?![A-Za-z0-9_])"), start=start)


KINDS: tuple[Kind, ...] = (
    Kind(
        "private-key",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
            r"(?:[^-]|-(?!----)){0,16384}(?:-----END [A-Z ]{0,40}-----)?"
        ),
    ),
    _token("anthropic-key", r"sk", r"sk-ant-[A-Za-z0-9_-]{20,512}"),
    _token("openai-key", r"sk", r"sk-(?=[A-Za-z_-]{0,100}[0-9])[A-Za-z0-9_-]{20,512}"),
    _token("github-token", r"gh|gi", r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}"),
    _token("gitlab-token", r"gl", r"gl(?:pat|dt|rt|cbt)-[A-Za-z0-9_-]{20,255}"),
    _token("huggingface-token", r"hf", r"hf_[A-Za-z0-9]{30,255}"),
    _token("aws-key-id", r"A[KSBC]", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    Kind(
        "aws-secret",
        re.compile(
            r"(?i:aws_?secret_?access_?key)\\{0,3}[\"']?\s{0,8}[=:]\s{0,8}"
            r"\\{0,3}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"
        ),
    ),
    _token("google-key", r"AI|ya|GO", r"AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,512}|GOCSPX-[A-Za-z0-9_-]{28}"),
    _token("slack-token", r"xo|xa", r"xox[abposr]-[A-Za-z0-9-]{10,255}|xapp-[A-Za-z0-9-]{10,255}"),
    _token("stripe-key", r"[sr]k", r"[sr]k_(?:live|test)_[A-Za-z0-9]{20,255}"),
    _token("groq-key", r"gs", r"gsk_[A-Za-z0-9]{40,255}"),
    _token("xai-key", r"xa", r"xai-[A-Za-z0-9]{60,255}"),
    _token("perplexity-key", r"pp", r"pplx-[A-Za-z0-9]{40,255}"),
    _token("replicate-token", r"r8", r"r8_[A-Za-z0-9]{37}"),
    _token("nvidia-key", r"nv", r"nvapi-[A-Za-z0-9_-]{50,255}"),
    _token("npm-token", r"np", r"npm_[A-Za-z0-9]{36}"),
    _token("pypi-token", r"py", r"pypi-[A-Za-z0-9_-]{50,512}"),
    _token("sendgrid-key", r"SG", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _token("telegram-token", r"", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    _token("web-token", r"ey", r"eyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,8192}\.[A-Za-z0-9_-]{10,4096}"),
    Kind(
        "authorization",
        re.compile(
            r"(?i:authorization\\{0,3}[\"']?\s{0,8}[:=]\s{0,8}\\{0,3}[\"']?(?:bearer|basic|token)\s{1,8})"
            r"([A-Za-z0-9._~+/=-]{16,4096})"
        ),
    ),
    Kind(
        "url-password",
        re.compile(r"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,20}://([^\s/:@\"'<>]{1,128}:[^\s/@\"'<>]{3,256})@"),
    ),
    Kind(
        "assigned-secret",
        re.compile(
            r"(?<![A-Za-z0-9_])(?:[A-Z][A-Z0-9]{0,30}_){0,6}"
            r"(?:API_?KEY|ACCESS_KEY|SECRET|SECRET_KEY|TOKEN|PASSWORD|PASSWD)"
            r"\\{0,3}[\"']?\s{0,4}[=:]\s{0,4}\\{0,3}[\"']?"
            r"(?=[^\s\"'$`<>]{0,100}[0-9])(?=[^\s\"'$`<>]{0,100}[A-Za-z])"
            r"([A-Za-z0-9_+/=.~-]{16,512})"
        ),
    ),
    Kind(
        "quoted-secret",
        re.compile(
            r"(?i:[\"'](?:[a-z0-9]{1,20}[_-]){0,3}"
            r"(?:api_?key|access_token|refresh_token|secret|client_secret|password)\\{0,3}[\"'])"
            r"\s{0,8}[:=]\s{0,8}\\{0,3}[\"'](?=[^\s\"']{0,100}[0-9])(?=[^\s\"']{0,100}[A-Za-z])"
            r"([^\s\"']{16,512}?)\\{0,3}[\"']"
        ),
    ),
    Kind(
        "email",
        re.compile(
            rf"(?<![A-Za-z0-9._%+-])(?!{_NOT_PERSONS})[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}"
            rf"@(?:[A-Za-z0-9-]{{1,63}}\.){{1,5}}"
            rf"(?:{_ENDINGS})(?![A-Za-z0-9_(\[-]|\.[A-Za-z0-9])"
        ),
        secret=False,
    ),
    Kind(
        "home",
        re.compile(
            rf"(?<![A-Za-z0-9_.])(?:/home/|/Users/|[A-Za-z]:\\{{1,2}}Users\\{{1,2}})"
            rf"(?!{_OUR_USERS}(?![A-Za-z0-9_.-]))([A-Za-z0-9_.-]{{1,64}})"
        ),
        secret=False,
    ),
)
_HINTS = re.compile(
    r"PRIVATE KEY|sk-|gh[pousr]_|github_pat|gl(?:pat|dt|rt|cbt)-|hf_|A[KSBC][ICA]A|AIza|ya29|"
    r"(?i:secret|authorization|users|api_?key|password|_token)|"
    r"GOCSPX|xox|xapp|[sr]k_|gsk_|xai-|pplx-|r8_|nvapi|npm_|pypi-|SG\.|:AA|eyJ|://|KEY|TOKEN|PASS|@|/home/"
)
ALIAS: Mapping[str, str] = {"home": "user"}


def findings(text: str, *, kinds: tuple[Kind, ...] = KINDS) -> Counter[str]:
    """How many of each kind are in the text."""
    if not _HINTS.search(text):
        return Counter()
    found: Counter[str] = Counter()
    _replaced(text, found, kinds)
    return found


def without(text: str, found: Counter[str], kinds: tuple[Kind, ...] = KINDS) -> str:
    """The text with every find replaced by MARK and its kind; what was found is counted into `found`."""
    return _replaced(text, found, kinds) if _HINTS.search(text) else text


def secret_kinds() -> tuple[Kind, ...]:
    """The kinds that open doors."""
    return tuple(_chosen(secret=True))


def _chosen(*, secret: bool) -> Iterator[Kind]:
    return (kind for kind in KINDS if kind.secret is secret)


def _replaced(text: str, found: Counter[str], kinds: tuple[Kind, ...]) -> str:
    for kind in kinds:
        text = kind.pattern.sub(lambda match, kind=kind: _cover(match, kind, found), text)  # type: ignore[misc]
    return text


def _cover(match: re.Match[str], kind: Kind, found: Counter[str]) -> str:
    part = 1 if match.re.groups else 0
    whole, start = match[0], match.start(0)
    if match[part].startswith(MARK):
        return whole
    found[kind.name] += 1
    word = MARK + ALIAS.get(kind.name, kind.name)
    return whole[: match.start(part) - start] + word + whole[match.end(part) - start :]
