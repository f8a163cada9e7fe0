"""Reads the course from its files: chapters, lessons, labs.

labs/course.yaml                      the chapters and their lessons, in order
labs/<chapter>/<lesson>/lesson.yaml   minutes, labs
labs/<chapter>/<lesson>/lesson.<language>.md
labs/<chapter>/<lesson>/example.yaml  a run that is stepped through, and example.json, its recording; may be missing
labs/<chapter>/<lesson>/complete.yaml what the reader completes; may be missing
labs/<chapter>/<lesson>/labs/<lab>/   lab.yaml, lab.<language>.md, setup.yaml, files/, solutions/, wrong/, check.py
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from cluster_engine.kube_apiserver import audit
from cluster_engine.kube_scheduler.config import ConfigError, loaded
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.kubelet import FlagError, kubelets_of
from labs.kit import checks as kinds
from labs.kit import completions, examples, lab_schema, located, pages, variables
from labs.kit.checking import CheckSpec, Reader
from labs.kit.checks import acts
from labs.kit.checks.acts import Act
from labs.kit.completions import Completion
from labs.kit.examples import Example
from labs.kit.located import CatalogError, Located, Problem
from labs.kit.pages import Page
from labs.kit.shapes import Schema, problems
from labs.kit.source import CourseSource, DiskSource
from labs.kit.words import LANGUAGES, Text

__all__ = ["LANGUAGES", "ROOT", "CatalogError", "Chapter", "Course", "Lab", "Lesson", "Step", "load", "read"]

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_SEED = 1
"""Of a lab without a seed, where nobody has drawn one."""
VARIANTS_KEPT = 64
"""Variants of labs that are kept in memory."""

Functions = Mapping[str, Callable[[Reader], None]]


@dataclass(frozen=True)
class Step:
    """One step of a lab."""

    id: str
    title: Text
    text: Text
    """Markdown, without the heading."""
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Lab:
    """One lab: what a learner is given and what is asked."""

    slug: str
    title: Text
    summary: Text
    intro: Text
    steps: tuple[Step, ...]
    instructions: Text
    """The whole text in Markdown."""
    objectives: tuple[Text, ...]
    learned: tuple[Text, ...]
    stretch: Text | None
    type: str
    difficulty: int
    concepts: tuple[str, ...]
    prerequisites: tuple[str, ...]
    next: str | None
    nodes: int
    seed: int | None
    """None: each run draws its own."""
    minutes: int
    files: dict[str, str]
    setup: str
    start: tuple[Act, ...]
    """What is done after the set-up."""
    solutions: dict[str, str]
    wrong: dict[str, str]
    checks: tuple[CheckSpec, ...]
    says: dict[str, Text]
    mutants: tuple[tuple[str, str], ...]
    """What of a solution may be otherwise although no check notices it: an expression, and why."""
    version: str
    """A digest of all the lab's files."""
    values: dict[str, Any]
    """Of its variables, in this variant."""
    folder: str
    lesson_slug: str = ""
    cloud: bool = False
    """Whether its cluster stands on the simulated cloud."""
    control_planes: int = 1
    """How many of its nodes are of the control plane."""
    scheduler: str = ""
    """The KubeSchedulerConfiguration of its cluster; "": the defaults."""
    kubelets: str = ""
    """The flags of its nodes' kubelets; "": none."""
    audit: str = ""
    admission: str = ""
    hurries: bool = False
    """Whether time leaps while somebody waits, and stands otherwise."""
    faults: bool = True
    """Whether the map offers what can be broken."""
    raw: _LabFiles | None = field(default=None, repr=False, compare=False)

    @property
    def max_score(self) -> int:
        """The points of all checks."""
        return sum(check.points for check in self.checks)

    @property
    def solution_text(self) -> str:
        """The model solution."""
        return next(iter(self.solutions.values()))

    @property
    def keeps_history(self) -> bool:
        """Whether any check asks for the cluster's past: a copy that knows only its present would judge wrongly."""
        return any(check.history for check in self.checks)

    @property
    def keeps_journal(self) -> bool:
        """Whether any check lives a moment of the past again: for that all that was done is needed."""
        return any(check.relives for check in self.checks)

    @property
    def lesson(self) -> Lesson:
        """The lesson that it belongs to."""
        return load().lesson(self.lesson_slug)

    def variant(self, seed: int) -> Lab:
        """The lab as somebody with this seed has it: names and numbers filled in. Itself, without variables."""
        return _variant(self.raw, seed) if self.raw is not None and self.raw.varies else self

    def seed_for(self, wanted: int | None) -> int:
        """The seed of the variant that somebody with this seed has: one for all where there is only one."""
        if self.seed is not None:
            return self.seed
        varies = self.raw is not None and self.raw.varies
        return wanted if wanted is not None and varies else DEFAULT_SEED


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


# ---- reading ---------------------------------------------------------------------------------------------


def _mapping(source: CourseSource, path: str, schema: Schema) -> Located:
    """The YAML file, as the schema says. Raises CatalogError."""
    found = located.read(source.text(path), source.shown(path))
    wrong = list(problems(schema, found.data))
    if wrong:
        raise found.error(wrong)
    return found


def _under(source: CourseSource, folder: str) -> dict[str, str]:
    return {path.removeprefix(f"{folder}/"): source.text(path) for path in source.under(folder)}


def _functions(source: CourseSource, path: str) -> Functions:
    """The public functions of a check.py; none when there is no such file."""
    if path not in source.under(path.rpartition("/")[0]):
        return {}
    names: dict[str, Any] = {"__name__": f"labs._checks.{path.split('/')[-2].replace('-', '_')}"}
    code = compile(source.text(path), source.shown(path), "exec")
    exec(code, names)  # noqa: S102 - the course is our own: an instructor who writes checks in Python runs Python
    return {
        name: value
        for name, value in names.items()
        if callable(value)
        and getattr(value, "__module__", "") == names["__name__"]
        and not name.startswith("_")
    }


@dataclass(frozen=True, eq=False)
class _LabFiles:
    """A lab as it stands in its folder, before a variant is made of it."""

    folder: str
    lesson_slug: str
    data: Located
    pages: dict[str, Page]
    functions: Functions
    setup: str
    files: dict[str, str]
    solutions: dict[str, str]
    wrong: dict[str, str]
    version: str

    @property
    def varies(self) -> bool:
        """Whether variants differ."""
        return bool(self.data.data.get("variables"))

    @property
    def slug(self) -> str:
        """The slug, or the folder's name."""
        return str(self.data.data.get("slug", self.folder.rpartition("/")[2]))


def _lab_files(source: CourseSource, folder: str, lesson_slug: str) -> _LabFiles:
    paths = source.under(folder)
    data = _mapping(source, f"{folder}/lab.yaml", lab_schema.SCHEMA)
    places = {language: f"{folder}/lab.{language}.md" for language in LANGUAGES}
    solutions = _under(source, f"{folder}/solutions")
    if not solutions:
        raise CatalogError(
            f"{source.shown(f'{folder}/solutions')}: expected at least one solution, found none"
        )
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.removeprefix(folder).encode() + b"\0" + source.text(path).encode() + b"\0")
    return _LabFiles(
        folder=folder,
        lesson_slug=lesson_slug,
        data=data,
        pages={
            language: pages.read(source.text(place), source.shown(place))
            for language, place in places.items()
        },
        functions=_functions(source, f"{folder}/check.py"),
        setup=source.text(f"{folder}/setup.yaml") if f"{folder}/setup.yaml" in paths else "",
        files=_under(source, f"{folder}/files"),
        solutions=solutions,
        wrong=_under(source, f"{folder}/wrong"),
        version=digest.hexdigest()[:16],
    )


@lru_cache(maxsize=VARIANTS_KEPT)
def _variant(raw: _LabFiles, seed: int) -> Lab:
    return _build(raw, seed)


def _build(raw: _LabFiles, seed: int) -> Lab:
    """The lab in one variant. Raises CatalogError."""
    original = raw.data.data
    try:
        values = variables.draw(raw.slug, original.get("variables", {}), seed)
    except ValueError as error:
        raise CatalogError(f"{raw.data.name}:{raw.data.line(('variables',))}: expected {error}") from error
    data = variables.put_everywhere(original, values) if values else original
    wrong = list(problems(lab_schema.SCHEMA, data)) if values else []
    wrong += _cross_references(raw, data)
    if wrong:
        raise raw.data.error(wrong)

    def text(of: Callable[[Page], str]) -> Text:
        return {language: variables.put(of(page), values) for language, page in raw.pages.items()}

    def front(name: str) -> Text:
        return text(lambda page: str(page.front.data[name]).strip())

    def sentences(name: str) -> tuple[Text, ...]:
        lists = {language: page.front.data[name] for language, page in raw.pages.items()}
        count = min(len(each) for each in lists.values())
        return tuple(
            {language: variables.put(each[index], values) for language, each in lists.items()}
            for index in range(count)
        )

    says_of = {language: page.front.data.get("says", {}) for language, page in raw.pages.items()}
    says: dict[str, Text] = {
        key: {language: variables.put(found.get(key, ""), values) for language, found in says_of.items()}
        for key in sorted({key for found in says_of.values() for key in found})
    }
    step_of = {check: step["id"] for step in data["steps"] for check in step.get("checks", [])}
    stretch = text(lambda page: page.front.data.get("stretch", ""))

    def put_all(files: dict[str, str]) -> dict[str, str]:
        return {variables.put(name, values): variables.put(body, values) for name, body in files.items()}

    return Lab(
        slug=raw.slug,
        title=front("title"),
        summary=front("summary"),
        intro=text(lambda page: page.intro),
        steps=tuple(
            Step(
                id=step["id"],
                title=text(lambda page, index=index: page.sections[index].title),  # type: ignore[misc]
                text=text(lambda page, index=index: page.sections[index].body),  # type: ignore[misc]
                checks=tuple(step.get("checks", [])),
            )
            for index, step in enumerate(data["steps"])
        ),
        instructions=text(lambda page: page.markdown),
        objectives=sentences("objectives"),
        learned=sentences("learned"),
        stretch=stretch if any(stretch.values()) else None,
        type=data["type"],
        difficulty=data["difficulty"],
        concepts=tuple(data.get("concepts", [])),
        prerequisites=tuple(data.get("prerequisites", [])),
        next=data.get("next"),
        nodes=data.get("nodes", 3),
        cloud=data.get("cluster", {}).get("cloud", False),
        scheduler=_scheduler(raw, data),
        control_planes=data.get("cluster", {}).get("control_planes", 1),
        kubelets=_config(raw, data, "kubelets", "kubelet", kubelets_of),
        audit=_audit(raw, data),
        admission=",".join(data.get("cluster", {}).get("admission", ())),
        faults=data.get("faults", True),
        seed=data.get("seed"),
        minutes=data["minutes"],
        files=put_all(raw.files),
        setup=variables.put(raw.setup, values),
        start=acts.of(data.get("start", [])),
        solutions=put_all(raw.solutions),
        wrong=put_all(raw.wrong),
        checks=tuple(
            _check(raw, index, check, step_of[check["id"]], values)
            for index, check in enumerate(data["checks"])
        ),
        says=says,
        mutants=tuple((item["field"], item["why"]) for item in data.get("mutants", [])),
        version=raw.version,
        values=values,
        folder=raw.folder,
        lesson_slug=raw.lesson_slug,
        raw=raw,
    )


def _scheduler(raw: _LabFiles, data: dict[str, Any]) -> str:
    """The scheduler's configuration as text. Raises CatalogError for one with which none starts."""
    return _config(raw, data, "scheduler", "kube-scheduler", lambda text: loaded(text, PLUGINS))


def _audit(raw: _LabFiles, data: dict[str, Any]) -> str:
    """The API server's audit policy as text. Raises CatalogError for one with which none starts."""
    return _config(raw, data, "audit", "kube-apiserver", audit.loaded)


def _config(
    raw: _LabFiles, data: dict[str, Any], name: str, component: str, check: Callable[[str], object]
) -> str:
    config = data.get("cluster", {}).get(name)
    if config is None:
        return ""
    text: str = yaml.safe_dump(config, sort_keys=False)
    try:
        check(text)
    except (ConfigError, FlagError, audit.PolicyError) as error:
        path = ("cluster", name)
        where = f"{raw.data.name}:{raw.data.line(path)}: {located.dotted(path)}"
        raise CatalogError(f"{where}: expected what {component} takes: {error}") from error
    return text


def _check(
    raw: _LabFiles, index: int, data: dict[str, Any], step: str, values: Mapping[str, Any]
) -> CheckSpec:
    by_language = {language: pages.words(page, data["id"]) for language, page in raw.pages.items()}

    def text(of: Callable[[dict[str, Any]], str]) -> Text:
        return {language: variables.put(of(found), values) for language, found in by_language.items()}

    hints = min(len(found["hints"]) for found in by_language.values())
    try:
        judge = kinds.build(data, raw.functions)
    except ValueError as error:
        path = ("checks", index)
        raise CatalogError(
            f"{raw.data.name}:{raw.data.line(path)}: {located.dotted(path)}: expected {error}"
        ) from error
    return CheckSpec(
        id=data["id"],
        title=text(lambda found: found["title"]),
        judge=judge,
        points=data.get("points", 1),
        hints=tuple(text(lambda found, n=n: found["hints"][n]) for n in range(hints)),  # type: ignore[misc]
        step=step,
        guard=data.get("guard", False),
        history=kinds.asks_past(data),
        relives=kinds.relives(data),
        never_alone=data.get("never_alone", ""),
        by_rule=_has_cel(data),
        texts={
            name: text(lambda found, name=name: found[name])  # type: ignore[misc]
            for name in ("expected", "found")
            if all(name in found for found in by_language.values())
        },
    )


def _has_cel(data: Any) -> bool:
    if isinstance(data, dict):
        return "cel" in data or any(_has_cel(value) for value in data.values())
    return isinstance(data, list) and any(_has_cel(item) for item in data)


def _cross_references(raw: _LabFiles, data: dict[str, Any]) -> list[Problem]:
    """What lab.yaml and the language files say of each other's steps and checks. Raises CatalogError for a page."""
    found: list[Problem] = []
    ids = [check["id"] for check in data["checks"]]
    placed: list[str] = []
    for index, check in enumerate(ids):
        if check in ids[:index]:
            found.append(Problem(("checks", index, "id"), "an id that is used once", f"{check!r} again"))
    for index, step in enumerate(data["steps"]):
        for place, check in enumerate(step.get("checks", [])):
            path = ("steps", index, "checks", place)
            if check not in ids:
                found.append(Problem(path, f"one of the checks {', '.join(ids)}", repr(check)))
            elif check in placed:
                found.append(Problem(path, "each check in one step", f"{check!r} again"))
            placed.append(check)
    for index, check in enumerate(ids):
        if check not in placed:
            found.append(Problem(("checks", index), f"the check {check!r} in one of the steps", "none"))
    steps = [step["id"] for step in data["steps"]]
    for page in raw.pages.values() if not found else ():
        _page_agrees(page, steps, ids)
    return found


def _page_agrees(page: Page, steps: list[str], checks: list[str]) -> None:
    front = page.front
    headings = [section.id for section in page.sections]
    if headings != steps:
        line = next((s.line for s, wanted in zip(page.sections, steps, strict=False) if s.id != wanted), 1)
        expected = ", ".join(f"{{#{step}}}" for step in steps)
        found = ", ".join(f"{{#{step}}}" for step in headings) or "none"
        raise CatalogError(f"{front.name}:{line}: expected the steps of lab.yaml ({expected}), found {found}")
    texts = front.data["checks"]
    wrong = [
        Problem(("checks",), f"the texts of the check {check!r}", "none")
        for check in checks
        if check not in texts
    ] + [
        Problem(("checks", check), f"one of the checks {', '.join(checks)}", repr(check))
        for check in texts
        if check not in checks
    ]
    if wrong:
        raise front.error(wrong)


def _lesson(source: CourseSource, folder: str, chapter_slug: str) -> Lesson:
    data = _mapping(source, f"{folder}/lesson.yaml", _LESSON).data
    slug = data.get("slug", folder.rpartition("/")[2])
    fronts, bodies = {}, {}
    for language in LANGUAGES:
        path = f"{folder}/lesson.{language}.md"
        front, bodies[language], _line = pages.split(source.text(path), source.shown(path))
        wrong = list(problems(_LESSON_PAGE, front.data))
        if wrong:
            raise front.error(wrong)
        fronts[language] = front.data
    labs = [_lab_files(source, f"{folder}/labs/{name}", slug) for name in data["labs"]]
    return Lesson(
        slug=slug,
        title={language: front["title"].strip() for language, front in fronts.items()},
        summary={language: front["summary"].strip() for language, front in fronts.items()},
        body=bodies,
        minutes=data["minutes"],
        labs=tuple(_build(raw, raw.data.data.get("seed", DEFAULT_SEED)) for raw in labs),
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
    data = _mapping(source, "course.yaml", _COURSE).data
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
