"""Search over the course: what is found for which words, in both languages; what a query cannot do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from course import markdown, search
from django.test import Client

from labs.kit import catalog

# (id, language, query, the kind of the first hit, the beginning of its address)
QUERIES = [
    ("a term by its name", "en", "kubelet", "term", "/glossary/#kubelet"),
    ("a plural", "en", "taints", "term", "/glossary/#taint"),
    (
        "a heading",
        "en",
        "recommended labels",
        "lesson",
        "/lessons/labels-and-selectors/#the-recommended-labels",
    ),
    ("a lab by its title", "en", "declare a deployment", "lab", "/labs/declare-a-deployment/"),
    ("a field", "en", "topologyKey maxSkew", "lesson", "/lessons/topology-spread/"),
    ("two characters", "zh-hans", "污点", "term", "/glossary/#taint"),
    ("four characters", "zh-hans", "边车容器", "term", "/glossary/#sidecar"),
    ("Chinese and Latin", "zh-hans", "Pod 干扰预算", "term", "/glossary/#pdb"),
    ("English in Chinese", "zh-hans", "kubelet", "term", "/glossary/#kubelet"),
]


@pytest.mark.parametrize(
    ("language", "query", "kind", "url"), [q[1:] for q in QUERIES], ids=[q[0] for q in QUERIES]
)
def test_what_is_found_first(language: str, query: str, kind: str, url: str) -> None:
    first = search.index(language).find(query)[0]
    assert first.place.kind == kind
    assert first.place.url.startswith(url)
    assert "<mark>" in first.snippet or kind == "term" or kind == "lab"


def test_one_chinese_character_finds() -> None:
    assert search.index("zh-hans").find("卷")


@pytest.mark.parametrize("query", ["", " ", "zzzzqqqq", "!?", "<script>", "\0", "(" * 500, "的" * 10_000])
def test_any_query_has_an_answer(query: str) -> None:
    assert len(search.index("en").find(query)) <= search.FOUND


def test_places_with_all_words_come_before_those_with_one() -> None:
    hits = search.index("en").find("static mirror etcd")
    having = [
        sum(
            word in set(search.words_of(f"{hit.place.title} {hit.place.text}"))
            for word in ("static", "mirror", "etcd")
        )
        for hit in hits
    ]
    assert having == sorted(having, reverse=True)


@pytest.mark.parametrize("language", catalog.LANGUAGES)
def test_every_place_leads_somewhere(language: str) -> None:
    anchors = {
        lesson.slug: {heading.anchor for heading in markdown.render(lesson.body[language]).headings}
        for lesson in catalog.load().lessons
    }
    places = search.index(language).places
    assert len(places) > 200
    for place in places:
        if place.kind == "lesson" and "#" in place.url:
            slug, _, anchor = place.url.removeprefix("/lessons/").partition("/#")
            assert anchor in anchors[slug]


@pytest.mark.parametrize(
    ("text", "query", "snippet"),
    [
        pytest.param(
            "A taint keeps Pods away.", "taints", "A <mark>taint</mark> keeps Pods away.", id="stem"
        ),
        pytest.param("a < b & Pods", "pod", "a &lt; b &amp; <mark>Pods</mark>", id="escaped"),
        pytest.param("节点上的污点挡住 Pod", "污点", "节点上的<mark>污点</mark>挡住 Pod", id="a pair"),
        pytest.param("拓扑分布约束", "分布约束", "拓扑<mark>分布约束</mark>", id="four characters"),
        pytest.param("nothing of it", "pod", "nothing of it", id="no match"),
    ],
)
def test_snippets(text: str, query: str, snippet: str) -> None:
    assert search.snippet(text, list(search.words_of(query))) == snippet


def test_a_long_text_is_cut_around_the_match() -> None:
    text = "word " * 200 + "taint " + "word " * 200
    cut = search.snippet(text, ["taint"])
    assert cut.startswith("… word")
    assert cut.endswith(" …")
    assert "<mark>taint</mark>" in cut
    assert len(cut) < search.SNIPPET + 40


def test_sections_have_the_anchors_of_the_page() -> None:
    found = markdown.sections(
        "Before.\n\n## Two words\n\nText `code`\nmore.\n\n```sh\nls\n```\n\n### Deep\n\n- a\n- b\n"
    )
    assert [(each.title, each.anchor, each.text) for each in found] == [
        ("", "", "Before."),
        ("Two words", "two-words", "Text code more."),
        ("Deep", "deep", "a b"),
    ]


@pytest.mark.django_db
def test_the_pages(browser: Callable[..., Client]) -> None:
    page = browser().get("/search/", {"q": "kubelet"}).text
    assert "places found for “kubelet”" in page
    assert '<a href="/glossary/#kubelet">' in page
    assert "找到" in browser(language="zh-hans").get("/search/", {"q": "污点"}).text
    assert "found for" not in browser().get("/search/").text
    assert "&lt;script&gt;" in browser().get("/search/", {"q": "<script>"}).text
    glossary = browser(language="zh-hans").get("/glossary/").text
    assert '<div id="taint">' in glossary
    assert '<span lang="en">taint</span>' in glossary


@pytest.mark.django_db
def test_words_are_explained_where_a_lesson_uses_them_first(browser: Callable[..., Client]) -> None:
    for language in ("en", "zh-hans"):
        page = browser(language=language).get("/lessons/labels-and-selectors/").text
        assert page.count('aria-describedby="term-service"') == 1
        assert page.count('id="term-service"') == 1
