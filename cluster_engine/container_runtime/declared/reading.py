"""Reads a cluster's images as data, or says what is wrong: at which key, what was expected, what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cluster_engine.apimachinery import yaml
from cluster_engine.component_helpers.shapes import Path, Problem, dotted, problems, shown
from cluster_engine.container_runtime.declared.behaviour import program
from cluster_engine.container_runtime.declared.build import Build
from cluster_engine.container_runtime.declared.shape import MAX_TEXT, SCHEMA
from cluster_engine.container_runtime.image import Image, Variant, alpine_files, debian_files
from cluster_engine.container_runtime.names import InvalidImageName, parse
from cluster_engine.container_runtime.registry import BUILT_IN, Registry, canonical, is_built_in
from cluster_engine.container_runtime.trees import image_tree
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import tree

REGISTRIES_KEPT = 64
"""Tables of images that are kept read; clusters of the same options share one."""

_TOOLS = {"alpine": "busybox", "debian": "debian", "distroless": "none"}
_FILES = {"alpine": alpine_files, "debian": debian_files}
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_LIKE = "docker.io/library/debian:latest"
"""It has the directories and links of every base."""
_OWN = ("/dev/", "/proc/", "/sys/")
_AN_IMAGE = "the name of an image without tag and digest, like registry.example.com/shop"


class ImagesError(ValueError):
    """The images cannot be had so. ``problems``: where (from the images on), what was expected, what was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "\n".join(
                f"{dotted(('images', *each.path))}: expected {each.expected}, found {each.found}"
                for each in self.problems
            )
        )


@lru_cache(maxsize=REGISTRIES_KEPT)
def registry_of(text: str) -> Registry:
    """What the nodes of a cluster with these images can pull; "": the built-in ones. Raises ImagesError."""
    return Registry(_read(text)) if text else BUILT_IN


def _read(text: str) -> dict[str, dict[str, Image]]:
    if len(text.encode()) > MAX_TEXT:
        raise ImagesError([Problem((), f"at most {MAX_TEXT} bytes of YAML", str(len(text.encode())))])
    try:
        data = yaml.load(text.encode())
    except yaml.YamlError as error:
        raise ImagesError([Problem((), "YAML", str(error))]) from error
    wrong = list(problems(SCHEMA, data)) or [*_names(data), *_builds_wrong(data)]
    if wrong:
        raise ImagesError(wrong)
    found = {parse(name).repository: _images(parse(name).repository, given) for name, given in data.items()}
    _check_trees(data, Registry(found))
    return found


def _names(data: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the names: each is a repository's, which nobody else has."""
    taken: dict[str, str] = {}
    for name in data:
        try:
            reference = parse(name)
        except InvalidImageName as error:
            yield Problem((name,), _AN_IMAGE, f"{shown(name)}: {error}")
            continue
        repository = reference.repository
        if "@" in name or ":" in name.rpartition("/")[2]:
            yield Problem((name,), _AN_IMAGE, shown(name))
        elif is_built_in(repository):
            yield Problem(
                (name,), "the name of an image that Drydock has not got", f"{repository}, which it has"
            )
        elif canonical(repository) != repository:
            yield Problem((name,), "another registry", f"a mirror of {canonical(repository)}")
        elif repository in taken:
            yield Problem((name,), "each image once", f"{repository} again, as {taken[repository]}")
        taken.setdefault(repository, name)


def _tags(given: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Tag -> what is otherwise in it."""
    return given.get("tags") or {"latest": {}}


def _of_tag(given: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """All that is said of a tag: what stands at it lies over what stands at the image."""
    common = {key: value for key, value in given.items() if key != "tags"}
    return laid_over(common, _tags(given)[tag])


def laid_over(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; all else is replaced."""
    return {
        **common,
        **{
            key: laid_over(common[key], value)
            if isinstance(value, dict) and isinstance(common.get(key), dict)
            else value
            for key, value in own.items()
        },
    }


def _builds_wrong(data: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with what the schema lets through."""
    for name, given in data.items():
        seen = set()
        for tag, own in _tags(given).items():
            if not _TAG.match(tag):
                yield Problem((name, "tags", tag), "a tag, like 1.0 or v2", shown(tag))
            for problem in _wrong(_of_tag(given, tag)):
                placed = Problem((name, *_place(own, tag, problem.path)), problem.expected, problem.found)
                if placed not in seen:
                    seen.add(placed)
                    yield placed


def _place(own: Mapping[str, Any], tag: str, path: Path) -> Path:
    """Where the value was written: at the tag, or at the image."""
    here: Any = own
    for key in path:
        if isinstance(here, list):
            break  # a list is replaced as a whole
        if not isinstance(here, Mapping) or key not in here:
            return path
        here = here[key]
    return ("tags", tag, *path)


def _wrong(data: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with what one tag names."""
    for name in data.get("env", {}):
        if not _VARIABLE.match(name):
            yield Problem(("env", name), "a variable's name, like GREETING", shown(name))
    for path in data.get("files", {}):
        if not _absolute(path) or path.startswith(_OWN):
            yield Problem(
                ("files", path), "an absolute path of a file, not below /dev, /proc or /sys", shown(path)
            )
    if not _absolute(data.get("workdir", "/app")) and data.get("workdir") != "/":
        yield Problem(("workdir",), "an absolute path", shown(data["workdir"]))
    for index, need in enumerate(data.get("needs", ())):
        if "port" in need and "host" not in need:
            yield Problem(("needs", index, "port"), "a port beside a host", "none")
    for path, route in data.get("http", {}).get("routes", {}).items():
        yield from _wrong_route(("http", "routes", path), path, route)
    log, memory = data.get("log", {}), data.get("memory", {})
    if "line" in log and "every" not in log:
        yield Problem(("log", "line"), "`every` beside it", "none")
    if "every" in log and "line" not in log:
        yield Problem(("log", "every"), "the `line` that comes so often", "none")
    if "until" in memory and not memory.get("grows"):
        yield Problem(("memory", "until"), "`grows` beside it", "none")
    elif memory.get("until", memory.get("start", 1)) < memory.get("start", 1):
        yield Problem(("memory", "until"), f"at least its `start`, {memory['start']}", str(memory["until"]))


def _wrong_route(at: Path, path: str, route: Mapping[str, Any]) -> Iterator[Problem]:
    star = path.find("*")
    if not path.startswith("/") or "?" in path or (star >= 0 and (star < len(path) - 1 or path[-2:] != "/*")):
        yield Problem(at, "a path, like /cart, or /cart/* for all below it", shown(path))
    if "body" in route and "file" in route:
        yield Problem(at, "exactly one of body, file", "`body`, `file`")
    if "file" in route and not _absolute(route["file"]):
        yield Problem((*at, "file"), "an absolute path of a file", shown(route["file"]))
    for name in route.get("headers", {}):
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or name.lower() in ("content-length", "connection"):
            yield Problem((*at, "headers", name), "a header that is not the server's own", shown(name))
    for name, value in route.get("headers", {}).items():
        if "\n" in value or "\r" in value:
            yield Problem((*at, "headers", name), "one line", shown(value))
    fails = route.get("fails", {})
    if fails.get("until", fails.get("from", 0) + 1) <= fails.get("from", 0):
        found = f"{fails['until']:g}"
        yield Problem((*at, "fails", "until"), f"more than its `from`, {fails.get('from', 0):g}", found)


def _absolute(path: str) -> bool:
    parts = path.split("/")
    return parts[0] == "" and len(parts) > 1 and not {"", ".", ".."} & set(parts[1:]) and "\0" not in path


def _images(repository: str, given: Mapping[str, Any]) -> dict[str, Image]:
    return {
        tag: _image(repository, tag, Build.of(repository, tag, _of_tag(given, tag))) for tag in _tags(given)
    }


def _image(repository: str, tag: str, build: Build) -> Image:
    """The image that has this tag alone."""
    run = {build.program: program(build)}
    base = _FILES.get(build.base)

    def files(variant: Variant) -> dict[str, str]:
        return {**(base(variant) if base is not None else {}), **build.files}

    return Image(
        repository=repository,
        variants={tag: Variant(build.size, build.version, build.print)},
        entrypoint=(build.program,),
        env=build.env,
        ports=(build.http.port,) if build.http is not None else (),
        workdir=build.workdir,
        uid=build.user,
        programs=lambda variant: run,
        tools=_TOOLS[build.base],
        files=files,
        memory=build.memory,
        steady=build.steady,
    )


def _check_trees(data: Mapping[str, Any], registry: Registry) -> None:
    """Raises ImagesError for files that cannot lie where they are to."""
    wrong: list[Problem] = []
    for name, given in data.items():
        for tag, own in _tags(given).items():
            path = (name, *_place(own, tag, ("files",)))
            image, _ = registry.find(f"{parse(name).repository}:{tag}")
            files = _of_tag(given, tag).get("files", {})
            here = [
                Problem((*path, each), "the path of a file", "a directory of its base")
                for each in files
                if _covers(each)
            ]
            if image.entrypoint[0] in files:
                here.append(Problem(path, "other files than its program", image.entrypoint[0]))
            try:
                if not here:
                    image_tree(registry, f"{parse(name).repository}:{tag}")
            except FileError as error:
                here.append(Problem(path, "files in directories", f"{error.path}: {error.reason}"))
            wrong += here
    if wrong:
        raise ImagesError(list(dict.fromkeys(wrong)))


def _covers(path: str) -> bool:
    """Whether a base has a directory, or a link to one, at that path."""
    found = tree.find(image_tree(BUILT_IN, _LIKE), path[1:].split("/"))
    return found is not None and found["t"] in ("d", "l")
