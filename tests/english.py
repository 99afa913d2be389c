"""The words and phrases that this project does not use, and where they occur.

    python -m tests.english shared/decision README.md

lists every hit as `file:line: "phrase": what to write instead`, and the names `told`; without a path it reads the
whole project. It exits with 1 if there is a hit. `--summary` prints the number of hits of each folder instead.
`tests/test_english.py` keeps the list of places without any hit (`DONE`): add a folder there once it is clean, so
that it stays clean. A phrase that is right where it is goes to `ALLOWED` below, with the reason.

Python files are read by their tokens: only comments, docstrings and other strings count, so a phrase that is broken
over two lines is found and a name is not. All other files are read as text.
"""

import argparse
import io
import os
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".tf", ".toml", ".html", ".js"}
# JSON is mostly data; the template of Azure has descriptions that people read.
TEXTS = {"Makefile", "azuredeploy.json"}
# Made by tools or installed, not written by people.
SKIPPED = {"dist", "node_modules", "__pycache__", ".venv", ".tools", ".aws-sam", ".local", ".git", ".terraform"}
# These files name the phrases.
SELF = {"tests/english.py", "tests/test_english.py"}
# Parts of Python that are read by people; an f-string is one token before Python 3.12 and several since.
PROSE = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}

BE = r"(?:is|are|was|were|be|being)"

# (pattern, advice). A space in a pattern is any white space, so that a phrase may be broken over lines.
PHRASES: tuple[tuple[str, str], ...] = (
    (r"\b(?:tell|tells|told|telling)\b(?! (?:\w+ )?apart)", "report, notify, log, return, show"),
    (r"\b(?:ask|asks|asked|asking)\b", "request, send, query"),
    (rf"(?<!there )\b{BE} no (?!(?:longer|more|other|later|earlier|less|one)\b)\w+", "is not a (valid) ..."),
    (r"\bfor good\b(?! reason)", "permanently"),
    (r"\bat once\b", "immediately; in one request; at the same time"),
    (r"\b(?:whoever|somebody|nobody)\b", "a user, the caller; no one; or the passive"),
    (r"\bas (?:best|good|well) as can be\b", "as well as possible"),
    (r"\bof theirs\b", "their"),
    (r"\bwhose (?:it|they) (?:is|are|was|were)\b", "that owns it"),
    (r"\b(?:lies?|stands?|lay|stood) in\b(?! for)", "is in"),
    (r"\bhow (?:\w+ ){1,3}(?:stands|stood)\b", "the status of"),
    (r"\bknows? no\b", "does not know; has no"),
    (r"\bto nobody\b|\bnone of (?:this|that) \w+'s?\b", "not ... to anyone"),
    (r"\b(?:is|are) (?:none of|nothing but|texts)\b", "is not one of; is only; are strings"),
    (r"\b(?:by|of|with|but) nothing but\b", "only by"),
    (r"\bSo (?:is|are|do|does) the\b", "the same applies to"),
    # A sentence that opens with "What", unless it is a question; titles and heads of tables have no full stop.
    (r'(?<!## )(?-i:What) \w+(?=[^?.!|"]*(?:[.!]|"""))', "name it: Events that ..., The result of ..."),
)
# A space in a pattern, but not in a look-behind, which must have a fixed width.
SPACE = re.compile(r"(?<!#)(?<!there) ")
# A value in an f-string, which is one token before Python 3.12.
PLACEHOLDER = re.compile(r"(?<!\{)\{[^{}\n]+\}")
TOLD = "a name such as `report`, `notified`, `messages`"

# Not a phrase of the list although it looks like one: (file or folder, text around the hit, reason).
ALLOWED: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Hit:
    """A phrase in a file: its path from the root of the project, its line from 1, and the text to write instead."""

    path: str
    line: int
    text: str
    advice: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.text}": {self.advice}'


def files(paths: Sequence[Path] = (ROOT,)) -> Iterator[Path]:
    """Yield the files that are read under *paths*, sorted; FileNotFoundError where a path does not exist."""
    for path in paths:
        start = path.absolute()
        if not start.exists():
            raise FileNotFoundError(path)
        for folder, folders, names in os.walk(start) if start.is_dir() else [(str(start.parent), [], [start.name])]:
            folders[:] = sorted(set(folders) - SKIPPED)
            for file in (Path(folder, name) for name in sorted(names)):
                readable = file.suffix in SUFFIXES or file.name in TEXTS
                if readable and file.relative_to(ROOT).as_posix() not in SELF:
                    yield file


def prose(source: str) -> str:
    """Return a Python *source* with its lines and columns, but only its comments and strings.

    Of a comment of several lines only the first `#` is kept, of an f-string only its text.
    """
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    kept = [character if character == "\n" else " " for character in source]
    comment_before = -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in PROSE:
            begin, end = starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
            continues = token.type == tokenize.COMMENT and comment_before == token.start[0] - 1
            text = source[begin:end]
            formatted = token.type == tokenize.STRING and "f" in text[:2].lower()
            kept[begin:end] = PLACEHOLDER.sub(lambda found: " " * len(found[0]), text) if formatted else text
            if continues:
                kept[begin] = " "
            if token.type == tokenize.COMMENT:
                comment_before = token.start[0]
    return "".join(kept)


def names_told(source: str) -> Iterator[int]:
    """Yield the lines of a Python *source* with a variable, argument or attribute that is named `told`."""
    if "told" in source:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME and token.string == "told":
                yield token.start[0]


def allowed(path: str, around: str) -> bool:
    """Return whether the text *around* a hit in *path* is one of the exceptions."""
    return any(path.startswith(place) and text in around for place, text, _ in ALLOWED)


def hits(text: str, path: str) -> Iterator[Hit]:
    """Yield the phrases in the content *text* of the file *path*, in their order."""
    read = prose(text) if path.endswith(".py") else text
    found: list[Hit] = []
    for pattern, advice in PHRASES:
        for match in re.finditer(SPACE.sub(r"\\s+", pattern), read, re.IGNORECASE):
            line = read.count("\n", 0, match.start()) + 1
            around = " ".join(read[max(0, match.start() - 60) : match.end() + 60].split())
            if not allowed(path, around):
                found.append(Hit(path, line, " ".join(match[0].split()), advice))
    if path.endswith(".py"):
        found += [Hit(path, line, "told", TOLD) for line in names_told(text)]
    yield from sorted(found, key=lambda hit: hit.line)


def search(paths: Sequence[Path] = (ROOT,)) -> Iterator[Hit]:
    """Yield the phrases in all files under *paths*."""
    for file in files(paths):
        yield from hits(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix())


def main(arguments: Sequence[str]) -> int:
    """Print the phrases under the paths of *arguments*; return 1 if there is any, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.english", description="Find phrases that the project does not use."
    )
    parser.add_argument("paths", nargs="*", type=Path, default=[ROOT])
    parser.add_argument("--summary", action="store_true", help="one line for each folder")
    given = parser.parse_args(arguments)
    found = list(search(given.paths))
    folders = Counter(hit.path.rpartition("/")[0] or "." for hit in found)
    lines = [f"{count:5} {folder}" for folder, count in sorted(folders.items())] if given.summary else map(str, found)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
