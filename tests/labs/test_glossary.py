"""The glossary: whole in both languages, found in texts where it is used first."""

import pytest

from labs.kit import catalog, glossary
from labs.kit.glossary import Finder
from labs.kit.located import CatalogError

TERMS = glossary.load()


def test_each_term_is_one_and_has_its_lesson():
    ids = [term.id for term in TERMS]
    assert len(ids) == len(set(ids)) >= 80
    assert {term.lesson for term in TERMS} <= {lesson.slug for lesson in catalog.load().lessons}
    for language in catalog.LANGUAGES:
        forms = [form for term in TERMS for form in term.forms[language]]
        assert sorted(form for form in set(forms) if forms.count(form) > 1) == []


def test_chinese_words_are_those_of_the_course():
    shunned = catalog.terms("zh-hans")
    for term in TERMS:
        words = term.name["zh-hans"] + term.text["zh-hans"]
        assert [word for word in shunned if word in words.replace("字段选择器", "")] == [], term.id


def uses(text, language="en"):
    return [(text[start:end], term.id) for start, end, term in Finder(TERMS, language).uses(text)]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        pytest.param("en", "A Pod, and Pods again", [("Pod", "pod")], id="the first alone"),
        pytest.param(
            "en", "Nodes have taints", [("Nodes", "node"), ("taints", "taint")], id="capital, plural"
        ),
        pytest.param("en", "a service and a job", [], id="kinds are written large"),
        pytest.param(
            "en", "a mirror Pod of a Pod", [("mirror Pod", "mirror-pod"), ("Pod", "pod")], id="longest"
        ),
        pytest.param("en", "relabel, labelled, pod-x", [], id="no part of a word"),
        pytest.param(
            "zh-hans", "镜像 Pod 的镜像", [("镜像 Pod", "mirror-pod"), ("镜像", "image")], id="Chinese"
        ),
        pytest.param("zh-hans", "标签（tag）与标签", [("标签", "label")], id="another reading"),
    ],
)
def test_first_uses(language, text, found):
    assert uses(text, language) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("terms: [{id: a}]", "expected", id="not whole"),
        pytest.param("terms: 7", "expected a list of terms", id="no list"),
        pytest.param("[]", "expected", id="no mapping"),
    ],
)
def test_a_glossary_that_is_not_whole_is_told(text, problem):
    with pytest.raises(CatalogError, match=problem):
        glossary.read(text, "glossary.yaml")
