"""The Chinese of the course uses the words of the official Chinese documentation."""

import re

import pytest
from markdown_it import MarkdownIt

from labs.kit import catalog, words

TERMS = catalog.terms("zh-hans")
FILES = sorted(
    path for name in ("*.zh-hans.md", "example.yaml", "complete.yaml") for path in catalog.ROOT.rglob(name)
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_words_to_avoid_are_avoided(path):
    text = path.read_text()
    found = {bad: f"write {good}" for bad, good in TERMS.items() if bad in text}
    assert found == {}


def test_the_library_s_sentences_avoid_them_too():
    text = "\n".join(words.TEXTS["zh-hans"].values())
    assert [bad for bad in TERMS if bad in text] == []


def test_no_word_is_recommended_that_is_to_be_avoided():
    assert [good for good in TERMS.values() if good in TERMS] == []


CODE = re.compile(r"```.*?^```$|`[^`]*`", re.MULTILINE | re.DOTALL)
PATTERN = re.compile(r"^- /.+?/ ", re.MULTILINE)
"""Of a prediction's guess."""
PAGES = sorted(catalog.ROOT.rglob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: "/".join(path.parts[-2:]))
def test_emphasis_ends_where_it_is_meant_to(path):
    """Behind a full-width mark emphasis ends only before a space or a mark: `**标签（tag）**是` shows its stars."""
    shown = "".join(
        child.content
        for token in MarkdownIt("commonmark").parse(
            CODE.sub("x", PATTERN.sub("- ", path.read_text().partition("\n---\n")[2]))
        )
        for child in token.children or []
        if child.type == "text"
    )
    assert re.findall(r".{0,20}\*+.{0,20}", shown) == []
