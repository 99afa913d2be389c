"""Every page has a form that readers can rely on, and every link leads somewhere."""

import re

import pytest

from tests.docs.pages import NAMES, PAGES, ROOT, Page, all_blocks, page_of

CONTENTS = "docs/README.md"
DOCS = [page for page in PAGES if page.name.startswith("docs/")]
LANGUAGES = {"toml", "json", "sh", "text", "python", "mermaid", "hcl", "yaml", "dockerfile"}
# Folders whose files the text names; what is built is not there yet.
ROOMS = ("deploy/", "docs/", "emulators/", "examples/", "functions/", "requirements/", "shared/", "tests/", ".github/")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_begins_with_its_title(name: str) -> None:
    """The first line is the only heading of the first level."""
    page = page_of(name)
    assert page.text.startswith("# ")
    assert len(re.findall(r"^# ", page.prose, re.MULTILINE)) == 1


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_a_page_of_docs_says_first_what_the_reader_can_do_after_it(page: Page) -> None:
    """The first sentence is a promise to the reader."""
    assert page.text.split("\n\n")[1].startswith("After this page you ")


def test_the_contents_list_every_page_once() -> None:
    """The table of contents links to all pages in docs and their folders."""
    listed = [link for link in page_of(CONTENTS).links if not link.startswith("..")]
    assert sorted(listed) == sorted(page.name.removeprefix("docs/") for page in DOCS if page.name != CONTENTS)


@pytest.mark.parametrize("name", NAMES)
def test_the_links_lead_somewhere(name: str) -> None:
    """Every link within the project leads to a file or a folder, and to a heading in it where it names one."""
    page = page_of(name)
    for link in page.links:
        path, _, heading = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        assert target.exists(), link
        if heading:
            assert heading in page_of(target.relative_to(ROOT).as_posix()).anchors, link


@pytest.mark.parametrize("name", NAMES)
def test_the_files_that_a_page_names_exist(name: str) -> None:
    """A path into a folder of the project, written as code, is there."""
    paths = [code for code in page_of(name).codes if code.startswith(ROOMS) and not re.search(r"[\s<*{]", code)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_block_has_a_language_that_these_tests_know() -> None:
    """A block without a language, or in a new one, would escape the tests of samples."""
    assert {block.language for block in all_blocks()} <= LANGUAGES


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_are_complete(name: str) -> None:
    """Each row has as many cells as the header: a bar in a cell would move the others."""
    for table in page_of(name).tables():
        assert [row for row in table.rows if len(row) != len(table.header)] == [], table.header
