"""The project's English: places that are written without the phrases of `tests/english.py` stay so."""

import pytest

from tests.english import ALLOWED, ROOT, files, hits, search

# Folders and files without a hit; `python -m tests.english PATH` lists the hits of a path.
DONE: tuple[str, ...] = (
    ".github",
    "CHANGELOG.md",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "bench",
    "deploy",
    "docs",
    "emulators",
    "examples",
    "functions/assembly.py",
    "functions/aws",
    "functions/azure",
    "functions/cli",
    "functions/gcp",
    "functions/github",
    "functions/http_session.py",
    "functions/local",
    "functions/machine.py",
    "functions/monitor",
    "functions/notify",
    "pyproject.toml",
    "retrain.toml",
    "retrain_trigger",
    "shared",
    "template.yaml",
    "tests/aws",
    "tests/azure",
    "tests/cli",
    "tests/conftest.py",
    "tests/contracts",
    "tests/core",
    "tests/deploy",
    "tests/docs",
    "tests/english.py",
    "tests/examples",
    "tests/fakes",
    "tests/gcp",
    "tests/github",
    "tests/http_session",
    "tests/local",
    "tests/monitor",
    "tests/notify",
    "tests/test_english.py",
    "tests/test_readme.py",
)


@pytest.mark.parametrize("place", DONE)
def test_a_place_that_is_done_has_no_such_phrase(place: str) -> None:
    """Comments, docstrings, messages and documents of the place use the plain word."""
    assert [str(hit) for hit in search([ROOT / place])] == []


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The user is told.", "told"),
        ("Ask the service.", "Ask"),
        ("the body is no JSON", "is no JSON"),
        ("rejected for good", "for good"),
        ("both at\nonce", "at once"),
        ("Whoever reads this", "Whoever"),
        ("as good as can be", "as good as can be"),
        ("a run of theirs", "of theirs"),
        ("the function whose it was", "whose it was"),
        ("the fault lies in the network", "lies in"),
        ("how a training stands", "how a training stands"),
        ("the queue knows no end", "knows no"),
        ("it is none of ours", "is none of"),
        ("refused by nothing but its condition", "by nothing but"),
        ("So is the question", "So is the"),
        ("What is left waits.", "What is"),
    ],
)
def test_a_phrase_is_found(text: str, phrase: str) -> None:
    """Each kind of phrase is found in a document, also where it is broken over two lines."""
    assert [hit.text for hit in hits(text, "README.md")] == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "They are told apart by their names.",
        "There is no answer.",
        "It is no longer there.",
        "What is this?",
        "It stands in for the service.",
        "## What it promises",
    ],
)
def test_plain_words_are_no_hit(text: str) -> None:
    """Usual English that resembles a phrase is left alone."""
    assert list(hits(text, "README.md")) == []


def test_python_is_read_by_its_tokens() -> None:
    """Comments and strings count, over several lines, but names do not, apart from `told`."""
    source = "told = ask(1)  # for\n# good\nx = f'{ask} at once'\n"
    assert [(hit.line, hit.text) for hit in hits(source, "x.py")] == [(1, "for good"), (1, "told"), (3, "at once")]


def test_every_exception_is_needed() -> None:
    """An exception whose text is gone is removed from the list."""
    texts = {file.relative_to(ROOT).as_posix(): " ".join(file.read_text(encoding="utf-8").split()) for file in files()}
    for place, text, reason in ALLOWED:
        assert reason
        assert any(path.startswith(place) and text in content for path, content in texts.items()), text
