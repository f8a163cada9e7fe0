"""The exams: weights that make a whole, lessons that exist."""

import pytest

from labs.kit import catalog, curricula
from labs.kit.located import CatalogError

EXAMS = curricula.load()


@pytest.mark.parametrize("exam", EXAMS, ids=lambda exam: exam.id)
def test_the_weights_are_the_whole_exam(exam):
    assert sum(domain.weight for domain in exam.domains) == 100


@pytest.mark.parametrize("exam", EXAMS, ids=lambda exam: exam.id)
def test_lessons_are_there_and_gaps_are_said(exam):
    known = {lesson.slug for lesson in catalog.load().lessons}
    topics = [topic for domain in exam.domains for topic in domain.topics]
    for topic in topics:
        assert set(topic.lessons) <= known
        assert not (topic.partly and not topic.lessons), "partly by no lesson"
    assert {topic.covered for topic in topics} == {"yes", "partly", "no"}


def test_each_lesson_serves_some_exam():
    taught = {
        slug for exam in EXAMS for domain in exam.domains for topic in domain.topics for slug in topic.lessons
    }
    # What no exam asks for by name.
    rest = {"lifecycle-hooks", "termination"}
    assert {lesson.slug for lesson in catalog.load().lessons} - taught == rest


def test_what_is_not_whole_is_told():
    with pytest.raises(CatalogError, match="expected"):
        curricula.read("exams: [{id: a}]", "curricula.yaml")
