"""YAML whose values know their lines, and the error that names file, line, field, expected, found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from cluster_engine.component_helpers.shapes import Path, Problem, dotted, shown

MAX_DEPTH = 40
"""Levels of a course file's YAML."""

_QUOTES = {
    "found character that cannot start any token": "; a text that begins with ` @ or % needs quotes",
    "mapping values are not allowed in this context": "; a text with `: ` in it needs quotes",
}
"""What mostly is the matter, by what the YAML reader says."""


class CatalogError(ValueError):
    """A course file is missing or wrong; the message names file, line, field, expected, found."""


@dataclass(frozen=True)
class Located:
    """The data of a YAML text, and the line on which each value begins."""

    data: Any
    lines: dict[Path, int]
    name: str

    def line(self, path: Path) -> int:
        """The line of the value, or of the nearest one that there is around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, problems: Sequence[Problem]) -> CatalogError:
        """All of them, one a line."""
        return CatalogError("\n".join(self.sentence(problem) for problem in problems))

    def sentence(self, problem: Problem) -> str:
        """``file:line: field: expected …, found …``."""
        where = dotted(problem.path)
        field = f" {where}:" if where else ""
        return f"{self.name}:{self.line(problem.path)}:{field} expected {problem.expected}, found {problem.found}"


def read(text: str, name: str, first_line: int = 1) -> Located:
    """The mapping that a YAML text holds. Raises CatalogError."""
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        if node is not None:
            _walk(node, (), lines, name, first_line)
        data = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + first_line
        told = error.problem or error.context or ""
        raise CatalogError(f"{name}:{line}: {told}{_QUOTES.get(told, '')}") from error
    except yaml.YAMLError as error:
        raise CatalogError(f"{name}:{first_line}: {error}") from error
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise CatalogError(f"{name}:{first_line}: expected a mapping, found {shown(data)}")
    return Located(data, lines, name)


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int], name: str, first: int) -> None:
    line = node.start_mark.line + first
    if len(path) > MAX_DEPTH:
        raise CatalogError(f"{name}:{line}: expected at most {MAX_DEPTH} levels")
    lines.setdefault(path, line)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*path, index), lines, name, first)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            at = key.start_mark.line + first
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                hint = '; a variable needs quotes: "{{name}}"' if isinstance(key, yaml.MappingNode) else ""
                raise CatalogError(f"{name}:{at}: expected text as a key{hint}")
            place = (*path, key.value)
            if place in lines:
                raise CatalogError(f"{name}:{at}: {dotted(place)}: expected it once, found it a second time")
            lines[place] = at
            _walk(value, place, lines, name, first)
