"""What the course covers: the list is whole, the page says nothing that is not so."""

import re

import pytest
from django.core.management import call_command

from labs.kit import catalog, coverage

ROOT = catalog.ROOT.parent
LIST = (catalog.ROOT / "coverage.yaml").read_text()
HEADINGS = coverage.read(LIST, "coverage.yaml")
LESSONS = catalog.load().lessons
PAGE = (ROOT / "docs/coverage.md").read_text()
LINK = re.compile(r"\[([^]]+)\]\(\.\./[^)]+\)")
ROW = re.compile(r"^\| (?!Part)(.+?) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)


def said(page):
    """By heading and part: the three cells as they stand."""
    sections = (section.partition("\n") for section in page.split("\n## ")[1:])
    return {
        (heading, row[1]): row.groups()[1:] for heading, _, text in sections for row in ROW.finditer(text)
    }


SAID = said(PAGE)


def test_every_concept_of_the_course_has_a_heading():
    assert [int(each["heading"].split()[0]) for each in HEADINGS] == list(range(1, 25))
    assert [
        each["lesson"] for each in HEADINGS if each["lesson"] not in {lesson.slug for lesson in LESSONS}
    ] == []


@pytest.mark.parametrize("heading", HEADINGS, ids=lambda each: each["lesson"])
def test_the_page_says_nothing_that_is_not_so(heading):
    """A page that is older than the newest lab lags behind, which is no lie; `manage.py lab coverage` makes it anew."""
    for row in coverage.rows(catalog.load(), heading):
        lessons, labs, engine = (set(LINK.findall(cell)) for cell in SAID[heading["heading"], row.name])
        assert lessons <= set(row.lessons)
        assert labs <= set(row.labs)
        assert engine == {path.removeprefix("cluster_engine/") for path in row.engine}
        assert [path for path in row.engine if not (ROOT / path).exists()] == []


def test_the_page_is_made_of_the_list_and_the_course(course_copy, tmp_path):
    page = tmp_path / "coverage.md"
    call_command("lab", f"--course={course_copy}", "coverage", f"--page={page}")
    rows = said(page.read_text())
    assert set(rows) == set(SAID)
    assert rows["6 Namespaces", "preference"] == (
        "[namespaces](../labs/foundations/namespaces/lesson.en.md)",
        "[two-newsrooms](../labs/foundations/namespaces/labs/two-newsrooms/lab.en.md)",
        "[terminal](../cluster_engine/terminal)",
    )
    lab = course_copy / "foundations/namespaces/labs/two-newsrooms"
    for path in [*lab.glob("lab.*.md"), *lab.rglob("*.sh")]:
        path.write_text(path.read_text().replace("set-context", "use-context"))
    call_command("lab", f"--course={course_copy}", "coverage", f"--page={page}")
    assert said(page.read_text())["6 Namespaces", "preference"][1] == "open: issue D"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "engine: [cluster_engine/kubelet/egress.py]}",
            "issue: soon}",
            "coverage.yaml:93: headings[10].parts[5].issue: expected the letter of an issue, found 'soon'",
        ),
        (
            'words: "kube-apiserver|',
            'words: "(kube-apiserver|',
            "headings[0].parts[0].words: expected a regular expression (RE2)",
        ),
        ("headings:", "concepts:", "coverage.yaml:7: expected the field `headings`, found none"),
    ],
    ids=["issue", "words", "headings"],
)
def test_a_mistake_in_the_list_is_told(old, new, told):
    with pytest.raises(catalog.CatalogError) as caught:
        coverage.read(LIST.replace(old, new, 1), "coverage.yaml")
    assert told in str(caught.value)
