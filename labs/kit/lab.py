"""One lab: what it is, and how it is read from its folder.

lab.yaml              type, difficulty, steps, checks (`labs.kit.lab_schema`)
lab.<language>.md     all its words in one language (`labs.kit.pages`)
setup.yaml, files/    what the learner starts from
solutions/, wrong/    right answers and wrong ones
check.py              checks in Python; may be missing
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from cluster_engine.component_helpers.shapes import Problem, dotted, problems
from cluster_engine.container_runtime.declared import ImagesError, registry_of
from cluster_engine.kube_apiserver import audit
from cluster_engine.kube_scheduler.config import ConfigError, loaded
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.kubelet import FlagError, kubelets_of
from labs.kit import checks as kinds
from labs.kit import lab_schema, pages, variables
from labs.kit.checking import CheckSpec, Reader
from labs.kit.checks import acts
from labs.kit.checks.acts import Act
from labs.kit.located import CatalogError, Located
from labs.kit.pages import Page
from labs.kit.source import CourseSource, mapping
from labs.kit.words import Text

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
    images: str = ""
    """The images that its registries have beside the usual ones; "": none."""
    hurries: bool = False
    """Whether time leaps while somebody waits, and stands otherwise."""
    faults: bool = True
    """Whether the map offers what can be broken."""
    raw: LabFiles | None = field(default=None, repr=False, compare=False)

    @property
    def languages(self) -> tuple[str, ...]:
        """Those in which it can be read."""
        return tuple(self.title)

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

    def variant(self, seed: int) -> Lab:
        """The lab as somebody with this seed has it: names and numbers filled in. Itself, without variables."""
        return _variant(self.raw, seed) if self.raw is not None and self.raw.varies else self

    def seed_for(self, wanted: int | None) -> int:
        """The seed of the variant that somebody with this seed has: one for all where there is only one."""
        if self.seed is not None:
            return self.seed
        varies = self.raw is not None and self.raw.varies
        return wanted if wanted is not None and varies else DEFAULT_SEED


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
class LabFiles:
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


def files_of(source: CourseSource, folder: str, lesson_slug: str) -> LabFiles:
    """The lab's files, each read by itself. Raises CatalogError."""
    paths = source.under(folder)
    data = mapping(source, f"{folder}/lab.yaml", lab_schema.SCHEMA)
    solutions = _under(source, f"{folder}/solutions")
    if not solutions:
        raise CatalogError(
            f"{source.shown(f'{folder}/solutions')}: expected at least one solution, found none"
        )
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.removeprefix(folder).encode() + b"\0" + source.text(path).encode() + b"\0")
    return LabFiles(
        folder=folder,
        lesson_slug=lesson_slug,
        data=data,
        pages={
            language: pages.read(source.text(place), source.shown(place))
            for language, place in pages.places(source, folder, "lab").items()
        },
        functions=_functions(source, f"{folder}/check.py"),
        setup=source.text(f"{folder}/setup.yaml") if f"{folder}/setup.yaml" in paths else "",
        files=_under(source, f"{folder}/files"),
        solutions=solutions,
        wrong=_under(source, f"{folder}/wrong"),
        version=digest.hexdigest()[:16],
    )


@lru_cache(maxsize=VARIANTS_KEPT)
def _variant(raw: LabFiles, seed: int) -> Lab:
    return build(raw, seed)


def build(raw: LabFiles, seed: int) -> Lab:
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
        images=_images(raw, data),
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


def _scheduler(raw: LabFiles, data: dict[str, Any]) -> str:
    """The scheduler's configuration as text. Raises CatalogError for one with which none starts."""
    return _config(raw, data, "scheduler", "kube-scheduler", lambda text: loaded(text, PLUGINS))


def _audit(raw: LabFiles, data: dict[str, Any]) -> str:
    """The API server's audit policy as text. Raises CatalogError for one with which none starts."""
    return _config(raw, data, "audit", "kube-apiserver", audit.loaded)


def _images(raw: LabFiles, data: dict[str, Any]) -> str:
    """The images as data, as text. Raises CatalogError for what none can be made of."""
    images = data.get("cluster", {}).get("images")
    if images is None:
        return ""
    text: str = yaml.safe_dump(images, sort_keys=False, allow_unicode=True)
    try:
        registry_of(text)
    except ImagesError as error:
        at = ("cluster", "images")
        raise raw.data.error(
            [Problem((*at, *each.path), each.expected, each.found) for each in error.problems]
        ) from error
    return text


def _config(
    raw: LabFiles, data: dict[str, Any], name: str, component: str, check: Callable[[str], object]
) -> str:
    config = data.get("cluster", {}).get(name)
    if config is None:
        return ""
    text: str = yaml.safe_dump(config, sort_keys=False)
    try:
        check(text)
    except (ConfigError, FlagError, audit.PolicyError) as error:
        path = ("cluster", name)
        where = f"{raw.data.name}:{raw.data.line(path)}: {dotted(path)}"
        raise CatalogError(f"{where}: expected what {component} takes: {error}") from error
    return text


def _check(
    raw: LabFiles, index: int, data: dict[str, Any], step: str, values: Mapping[str, Any]
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
            f"{raw.data.name}:{raw.data.line(path)}: {dotted(path)}: expected {error}"
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


def _cross_references(raw: LabFiles, data: dict[str, Any]) -> list[Problem]:
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
