"""The commands in the shell blocks of a page, split as a shell does."""

import re
import shlex
from collections.abc import Iterator

_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_ENDS = ("&&", "||", "|", ";", "&")


def commands(text: str) -> Iterator[list[str]]:
    """Go through the commands in *text*, those in `$(...)` too; without assignments in front and redirections behind.

    Raises:
        ValueError: a quotation does not end.

    """
    for line in _logical_lines(text):
        for part in (*_SUBSTITUTION.findall(line), _SUBSTITUTION.sub("SUBSTITUTED", line)):
            yield from filter(None, map(_bare, _split(part)))


def _logical_lines(text: str) -> Iterator[str]:
    begun = ""
    for line in text.splitlines():
        begun += line.removesuffix("\\") if line.endswith("\\") else f"{line}\n"
        if not line.endswith("\\") and _is_whole(begun):
            yield begun
            begun = ""
    if begun.strip():
        yield begun


def _is_whole(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def _split(text: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    command: list[str] = []
    for word in lexer:
        if word in _ENDS:
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _bare(words: list[str]) -> list[str]:
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    return words[: words.index(">")] if ">" in words else words
