"""The README is short and leads to every page; `tests/docs` tests what it shows, as on every page."""

import re

from tests.docs.pages import page_of

README = page_of("README.md")
MOST_LINES = 160
LONGEST_LINE = 140


def test_the_readme_is_short() -> None:
    """It is read in minutes; everything else is in docs."""
    lines = README.text.splitlines()
    assert len(lines) <= MOST_LINES
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


def test_the_smallest_configuration_has_three_lines() -> None:
    """The first configuration is the one of three lines that the text promises."""
    assert len(README.blocks("toml")[0].text.splitlines()) == 3


def test_every_page_is_a_link_away() -> None:
    """The README links to every page that the table of contents lists."""
    listed = {f"docs/{link}" for link in page_of("docs/README.md").links if not link.startswith("..")}
    assert listed - {link.partition("#")[0] for link in README.links} <= {"docs/README.md"}


def test_the_end_of_the_demo_is_what_the_demo_prints() -> None:
    """Each line that the README shows of the demo's end is a claim in its code."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (README.path.parent / "examples/demo").glob("*.py"))
    shown = next(block.text for block in README.blocks("text") if "  yes  " in f"  {block.text}")
    for line in shown.splitlines():
        claim = line.partition("yes  ")[2]
        assert claim in re.sub(r"\{\w+\(?\w*\)?\}", lambda found: {"{DELIVERIES}": "51"}.get(found[0], "4"), code), (
            claim
        )
