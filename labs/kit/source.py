"""Where a course's files come from: a protocol, the one source that there is, a folder on disk, and a file read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cluster_engine.component_helpers.shapes import Schema, problems
from labs.kit import located
from labs.kit.located import CatalogError, Located

MAX_FILE = 256 * 1024
"""Bytes of one file of the course."""


class CourseSource(Protocol):
    """The files of a course, by path from its root, with ``/`` between the parts."""

    def text(self, path: str) -> str:
        """The file's text. Raises CatalogError when it is missing, too large or no UTF-8."""

    def under(self, folder: str) -> list[str]:
        """The paths of all files in the folder and below, sorted; none when there is no such folder."""

    def shown(self, path: str) -> str:
        """The path as a message names it."""


class DiskSource:
    """The course in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def text(self, path: str) -> str:
        """The file's text. Raises CatalogError."""
        place = self.root / path
        try:
            size = place.stat().st_size
            if size > MAX_FILE:
                raise CatalogError(f"{self.shown(path)}: expected at most {MAX_FILE} bytes, found {size}")
            return place.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise CatalogError(f"{self.shown(path)}: the file is missing") from None
        except UnicodeDecodeError as error:
            raise CatalogError(f"{self.shown(path)}: expected UTF-8 text: {error}") from error

    def under(self, folder: str) -> list[str]:
        """The paths of all files in the folder and below, sorted."""
        place = self.root / folder
        found = (path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return sorted(path.relative_to(self.root).as_posix() for path in found) if place.is_dir() else []

    def shown(self, path: str) -> str:
        """The path from the folder that the author works in; the whole one when the course lies elsewhere."""
        place = self.root / path
        return str(place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place)


def mapping(source: CourseSource, path: str, schema: Schema) -> Located:
    """The YAML file, as the schema says. Raises CatalogError."""
    found = located.read(source.text(path), source.shown(path))
    wrong = list(problems(schema, found.data))
    if wrong:
        raise found.error(wrong)
    return found
