"""Reads the course from its folders: chapters, lessons, labs.

labs/course.yaml                      the chapters and their lessons, in order
labs/<chapter>/<lesson>/lesson.yaml   slug, title, summary, minutes, labs
labs/<chapter>/<lesson>/lesson.<language>.md
labs/<chapter>/<lesson>/labs/<lab>/   lab.yaml, instructions.<language>.md, setup.yaml, check.py, …
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from labs.kit.checking import CheckSpec, checks_of

LANGUAGES = ("en", "zh-hans")
ROOT = Path(__file__).resolve().parent.parent
MAX_FILE = 256 * 1024

Text = dict[str, str]


class CatalogError(ValueError):
    """A course file is missing or wrong; the message names the file, the field and what was expected."""


@dataclass(frozen=True)
class Lab:
    """One lab: what a learner is given and what is asked."""

    slug: str
    title: Text
    summary: Text
    instructions: Text
    nodes: int
    seed: int
    minutes: int
    files: dict[str, str]
    setup: str
    solution: str
    wrong: dict[str, str]
    path: Path
    lesson_slug: str = ""

    @cached_property
    def checks(self) -> tuple[CheckSpec, ...]:
        """The checks, in the order in which check.py defines them."""
        return checks_of(_load_module(self.path / "check.py", f"labs._checks.{self.slug.replace('-', '_')}"))

    @property
    def max_score(self) -> int:
        return sum(check.points for check in self.checks)

    @property
    def lesson(self) -> Lesson:
        return load().lesson(self.lesson_slug)


@dataclass(frozen=True)
class Lesson:
    slug: str
    title: Text
    summary: Text
    body: Text
    minutes: int
    labs: tuple[Lab, ...]
    path: Path
    chapter_slug: str = ""

    @property
    def chapter(self) -> Chapter:
        return next(chapter for chapter in load().chapters if chapter.slug == self.chapter_slug)


@dataclass(frozen=True)
class Chapter:
    slug: str
    title: Text
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True)
class Course:
    title: Text
    chapters: tuple[Chapter, ...]
    _lessons: dict[str, Lesson] = field(default_factory=dict, repr=False)
    _labs: dict[str, Lab] = field(default_factory=dict, repr=False)

    @property
    def lessons(self) -> list[Lesson]:
        return list(self._lessons.values())

    @property
    def labs(self) -> list[Lab]:
        return list(self._labs.values())

    def lesson(self, slug: str) -> Lesson:
        """Raises KeyError."""
        return self._lessons[slug]

    def lab(self, slug: str) -> Lab:
        """Raises KeyError."""
        return self._labs[slug]


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise CatalogError(f"{path}: at most {MAX_FILE} bytes are allowed, found {size}")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CatalogError(f"{path}: the file is missing") from None


def _mapping(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(_read(path))
    except yaml.YAMLError as error:
        raise CatalogError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise CatalogError(f"{path}: expected a mapping, found {type(data).__name__}")
    return data


def _field(data: dict[str, Any], path: Path, name: str, kind: type, default: Any = None) -> Any:
    value = data.get(name, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise CatalogError(f"{path}: {name}: expected {kind.__name__}, found {value!r}")
    return value


def _text(data: dict[str, Any], path: Path, name: str) -> Text:
    value = _field(data, path, name, dict)
    for language in LANGUAGES:
        if not isinstance(value.get(language), str) or not value[language].strip():
            raise CatalogError(f"{path}: {name}.{language}: expected text, found {value.get(language)!r}")
    return {language: value[language].strip() for language in LANGUAGES}


def _page(folder: Path, stem: str) -> Text:
    return {language: _read(folder / f"{stem}.{language}.md") for language in LANGUAGES}


def _folder_files(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _read(path) for path in paths}


def _load_module(path: Path, name: str) -> ModuleType:
    if not path.is_file():
        raise CatalogError(f"{path}: the file is missing")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _lab(folder: Path, lesson_slug: str) -> Lab:
    path = folder / "lab.yaml"
    data = _mapping(path)
    return Lab(
        slug=_field(data, path, "slug", str, folder.name),
        title=_text(data, path, "title"),
        summary=_text(data, path, "summary"),
        instructions=_page(folder, "instructions"),
        nodes=_field(data, path, "nodes", int, 3),
        seed=_field(data, path, "seed", int, 1),
        minutes=_field(data, path, "minutes", int, 15),
        files=_folder_files(folder / "files"),
        setup=_read(folder / "setup.yaml"),
        solution=_read(folder / "solution.sh"),
        wrong=_folder_files(folder / "wrong"),
        path=folder,
        lesson_slug=lesson_slug,
    )


def _lesson(folder: Path, chapter_slug: str) -> Lesson:
    path = folder / "lesson.yaml"
    data = _mapping(path)
    slug = _field(data, path, "slug", str, folder.name)
    return Lesson(
        slug=slug,
        title=_text(data, path, "title"),
        summary=_text(data, path, "summary"),
        body=_page(folder, "lesson"),
        minutes=_field(data, path, "minutes", int, 10),
        labs=tuple(_lab(folder / "labs" / str(name), slug) for name in _field(data, path, "labs", list, [])),
        path=folder,
        chapter_slug=chapter_slug,
    )


def read(root: Path) -> Course:
    """The course under ``root``. Raises CatalogError."""
    path = root / "course.yaml"
    data = _mapping(path)
    chapters = []
    for item in _field(data, path, "chapters", list):
        slug = _field(item, path, "slug", str)
        folders = [root / slug / str(name) for name in _field(item, path, "lessons", list)]
        lessons = tuple(_lesson(folder, slug) for folder in folders)
        chapters.append(Chapter(slug, _text(item, path, "title"), lessons))
    lessons_by_slug: dict[str, Lesson] = {}
    labs_by_slug: dict[str, Lab] = {}
    for chapter in chapters:
        for lesson in chapter.lessons:
            if lesson.slug in lessons_by_slug:
                raise CatalogError(f"{lesson.path}: the lesson slug {lesson.slug!r} is used twice")
            lessons_by_slug[lesson.slug] = lesson
            for lab in lesson.labs:
                if lab.slug in labs_by_slug:
                    raise CatalogError(f"{lab.path}: the lab slug {lab.slug!r} is used twice")
                labs_by_slug[lab.slug] = lab
    return Course(_text(data, path, "title"), tuple(chapters), lessons_by_slug, labs_by_slug)


@cache
def load() -> Course:
    """The course that ships with Drydock, read once per process."""
    return read(ROOT)
