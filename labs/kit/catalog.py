"""Reads the course from its files: chapters, lessons, labs.

labs/course.yaml                      the chapters and their lessons, in order
labs/<chapter>/<lesson>/lesson.yaml   minutes, labs
labs/<chapter>/<lesson>/lesson.<language>.md
labs/<chapter>/<lesson>/example.yaml  a run that is stepped through, and example.json, its recording; may be missing
labs/<chapter>/<lesson>/complete.yaml what the reader completes; may be missing
labs/<chapter>/<lesson>/labs/<lab>/   a lab (`labs.kit.lab`)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml

from cluster_engine.component_helpers.shapes import Problem, Schema, problems
from labs.kit import completions, examples, pages
from labs.kit.completions import Completion
from labs.kit.examples import Example
from labs.kit.lab import DEFAULT_SEED, Lab, build, files_of
from labs.kit.located import CatalogError
from labs.kit.source import CourseSource, DiskSource, mapping
from labs.kit.words import LANGUAGES, Text

__all__ = ["LANGUAGES", "ROOT", "CatalogError", "Chapter", "Course", "Lesson", "load", "read", "terms"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Lesson:
    """One lesson: a text and its labs."""

    slug: str
    title: Text
    summary: Text
    body: Text
    minutes: int
    labs: tuple[Lab, ...]
    folder: str
    chapter_slug: str = ""
    example: Example | None = None
    completion: Completion | None = None

    @property
    def languages(self) -> tuple[str, ...]:
        """Those in which it can be read."""
        return tuple(self.body)

    @property
    def chapter(self) -> Chapter:
        """The chapter that it stands in."""
        return next(chapter for chapter in load().chapters if chapter.slug == self.chapter_slug)


@dataclass(frozen=True)
class Chapter:
    """Lessons in their order."""

    slug: str
    title: Text
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True, eq=False)
class Course:
    """The whole."""

    title: Text
    chapters: tuple[Chapter, ...]
    _lessons: dict[str, Lesson] = field(default_factory=dict, repr=False)
    _labs: dict[str, Lab] = field(default_factory=dict, repr=False)

    @property
    def lessons(self) -> list[Lesson]:
        """In the course's order."""
        return list(self._lessons.values())

    @property
    def labs(self) -> list[Lab]:
        """In the course's order."""
        return list(self._labs.values())

    def lesson(self, slug: str) -> Lesson:
        """Raises KeyError."""
        return self._lessons[slug]

    def lab(self, slug: str) -> Lab:
        """Raises KeyError."""
        return self._labs[slug]


# ---- what the files must look like -----------------------------------------------------------------------

_TEXT: Schema = {"type": "string", "pattern": r"\S", "description": "text"}
_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "description": "words with dashes"}
_IN_ALL: Schema = {
    "type": "object",
    "required": list(LANGUAGES),
    "properties": dict.fromkeys(LANGUAGES, _TEXT),
}
_SLUGS: Schema = {"type": "array", "items": _SLUG, "description": "a list"}
_COURSE: Schema = {
    "type": "object",
    "required": ["title", "chapters"],
    "additionalProperties": False,
    "properties": {
        "title": _IN_ALL,
        "chapters": {
            "type": "array",
            "description": "a list",
            "items": {
                "type": "object",
                "required": ["slug", "title", "lessons"],
                "additionalProperties": False,
                "properties": {"slug": _SLUG, "title": _IN_ALL, "lessons": _SLUGS},
            },
        },
    },
}
_LESSON: Schema = {
    "type": "object",
    "required": ["minutes", "labs"],
    "additionalProperties": False,
    "properties": {
        "slug": _SLUG,
        "minutes": {"type": "integer", "minimum": 1},
        "labs": _SLUGS,
    },
}
_LESSON_PAGE: Schema = {
    "type": "object",
    "required": ["title", "summary"],
    "additionalProperties": False,
    "properties": {"title": _TEXT, "summary": _TEXT},
}


# ---- reading -----------------------------------------------------------------------------------------


def _lesson(source: CourseSource, folder: str, chapter_slug: str) -> Lesson:
    data = mapping(source, f"{folder}/lesson.yaml", _LESSON).data
    slug = data.get("slug", folder.rpartition("/")[2])
    fronts, bodies = {}, {}
    for language, path in pages.places(source, folder, "lesson").items():
        front, bodies[language], _line = pages.split(source.text(path), source.shown(path))
        wrong = list(problems(_LESSON_PAGE, front.data))
        if wrong:
            raise front.error(wrong)
        fronts[language] = front.data
    labs = [files_of(source, f"{folder}/labs/{name}", slug) for name in data["labs"]]
    return Lesson(
        slug=slug,
        title={language: front["title"].strip() for language, front in fronts.items()},
        summary={language: front["summary"].strip() for language, front in fronts.items()},
        body=bodies,
        minutes=data["minutes"],
        labs=tuple(build(raw, raw.data.data.get("seed", DEFAULT_SEED)) for raw in labs),
        folder=folder,
        chapter_slug=chapter_slug,
        example=_example(source, folder),
        completion=_completion(source, folder),
    )


def _example(source: CourseSource, folder: str) -> Example | None:
    """The lesson's played example, if it has one."""
    path, recording = f"{folder}/{examples.FILE}", f"{folder}/{examples.RECORDING}"
    there = source.under(folder)
    if path not in there:
        return None
    kept = source.text(recording) if recording in there else ""
    return examples.read(source.text(path), source.shown(path), kept, _IN_ALL)


def _completion(source: CourseSource, folder: str) -> Completion | None:
    """What the lesson has its reader complete, if anything."""
    path = f"{folder}/{completions.FILE}"
    if path not in source.under(folder):
        return None
    return completions.read(source.text(path), source.shown(path), _IN_ALL)


def read(root: Path | CourseSource) -> Course:
    """The course of a folder or another source. Raises CatalogError."""
    source = DiskSource(root) if isinstance(root, Path) else root
    data = mapping(source, "course.yaml", _COURSE).data
    chapters = []
    for item in data["chapters"]:
        slug = item["slug"]
        lessons = tuple(_lesson(source, f"{slug}/{name}", slug) for name in item["lessons"])
        chapters.append(Chapter(slug, item["title"], lessons))
    lessons_by_slug: dict[str, Lesson] = {}
    labs_by_slug: dict[str, Lab] = {}
    for chapter in chapters:
        for lesson in chapter.lessons:
            if lesson.slug in lessons_by_slug:
                raise CatalogError(
                    f"{source.shown(lesson.folder)}: the lesson slug {lesson.slug!r} is used twice"
                )
            lessons_by_slug[lesson.slug] = lesson
            for lab in lesson.labs:
                if lab.slug in labs_by_slug:
                    raise CatalogError(f"{source.shown(lab.folder)}: the lab slug {lab.slug!r} is used twice")
                labs_by_slug[lab.slug] = lab
    _known_labs(source, labs_by_slug)
    return Course(data["title"], tuple(chapters), lessons_by_slug, labs_by_slug)


def _known_labs(source: CourseSource, labs: dict[str, Lab]) -> None:
    for lab in labs.values():
        for name in (*lab.prerequisites, *([lab.next] if lab.next else [])):
            if name not in labs:
                assert lab.raw is not None  # the course was read just now
                field = "next" if name == lab.next else "prerequisites"
                close = get_close_matches(name, labs, 1)
                hint = f"`{close[0]}`, a lab of the course" if close else "a lab of the course"
                raise lab.raw.data.error([Problem((field,), hint, repr(name))])


@cache
def terms(language: str) -> dict[str, str]:
    """What is not written in that language, and what instead: ``terms.<language>.yaml``; nothing without one."""
    path = ROOT / f"terms.{language}.yaml"
    found: dict[str, str] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


@cache
def load() -> Course:
    """The course that ships with Drydock, read once per process."""
    return read(ROOT)
