"""The class of one shell command: what an agent that has nothing but a shell was doing with it.

Takes the command's text, gives an ActionClass. View and Search are given only to a command that certainly changes no
file, whatever it prints; anything not understood is Bash. Never executes or expands anything.
"""

from __future__ import annotations

import re
import shlex

from harness.schema.episode import ActionClass

_PYTHON = re.compile(r"\s*([A-Za-z_]\w*=[\w.,:/+-]*\s+)*(python[0-9.]*|torchrun)(\s|$)")
_LOOKS = frozenset({"cat", "cd", "du", "echo", "head", "ls", "nl", "pwd", "stat", "tail", "wc"})
_SEARCHES = frozenset({"egrep", "fgrep", "find", "grep"})
_FIND_ACTS = ("-delete", "-exec", "-fls", "-fprint", "-ok")
_JOINS = frozenset({"|", "||", "&&", ";"})
_QUIET = re.compile(r"2>(/dev/null|&1)(?=[\s;|]|$)")
_EXPANDS = re.compile(r"[`\n\r]|\$(?![A-Za-z_])")


def command_class(command: str) -> ActionClass:
    """Python where an interpreter comes first (after NAME=value), View or Search where it only looks, else Bash."""
    if _PYTHON.match(command):
        return "Python"
    parts = _parts(command.strip())
    if not parts or not all(_only_looks(part) for part in parts):
        return "Bash"
    return "Search" if any(part[0] in _SEARCHES for part in parts) else "View"


def _parts(command: str) -> list[list[str]]:
    """The words of each simple command; empty when the shell would do more than run them one after another."""
    if _EXPANDS.search(command):
        return []
    lexer = shlex.shlex(_QUIET.sub(" ", command), posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:  # an open quotation
        return []
    parts: list[list[str]] = [[]]
    for word in words:
        if word in _JOINS:
            parts.append([])
        elif set(word) & set("<>&|;()"):
            return []  # redirection, background, subshell; or a quoted one, which costs only precision
        else:
            parts[-1].append(word)
    return parts if all(parts) else []


def _only_looks(words: list[str]) -> bool:
    if words[0] == "find":
        return not any(word.startswith(_FIND_ACTS) for word in words)
    return words[0] in _LOOKS | _SEARCHES
