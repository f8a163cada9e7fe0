"""Finds what is to be translated and keeps `locale/zh_Hans/LC_MESSAGES/django.po` in step.

Django's own `makemessages` needs the GNU gettext programs; Babel reads Python, and Django's own template
parser turns a template into what Babel can read. The source speaks English, so there is one catalogue.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGES = ("accounts", "api", "config", "course", "grading", "review", "runs", "workspace")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# A call in templatized text: gettext(…), ngettext(…), pgettext(…), with Python literals inside.
_CALL = re.compile(r"\b(_|n?p?gettext)\(")
_TEMPLATES = (".html", ".svg", ".txt")
_LITERAL = re.compile(r"""\s*u?(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")\s*,?""")

Message = tuple[str | None, str | tuple[str, str]]


def catalogue_path(root: Path) -> Path:
    """The Chinese catalogue."""
    return root / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def read_catalogue(root: Path) -> Catalog:
    """The Chinese catalogue as it is on disk."""
    with catalogue_path(root).open("rb") as file:
        return read_po(file, locale="zh_Hans")


def messages(root: Path) -> dict[Message, list[tuple[str, int]]]:
    """Every translatable message with where it stands: {(context, id or (id, plural)): [(file, line)]}."""
    found: dict[Message, list[tuple[str, int]]] = {}
    for path in _sources(root):
        read = _from_template if path.suffix in _TEMPLATES else _from_python
        for line, message in read(path):
            found.setdefault(message, []).append((path.relative_to(root).as_posix(), line))
    return found


def update(root: Path) -> list[str]:
    """Bring the catalogue up to date; returns the ids that lack a translation."""
    template = Catalog()
    for (context, ident), places in sorted(messages(root).items(), key=lambda item: (item[1], str(item[0]))):
        template.add(ident, context=context, locations=places)
    catalog = read_catalogue(root)
    # Only what a person changed should show as a change.
    template.creation_date = catalog.creation_date
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = "Drydock"
    catalog.update(template, no_fuzzy_matching=True)
    with catalogue_path(root).open("wb") as file:
        write_po(file, catalog, width=110, include_lineno=False, ignore_obsolete=True)
    return [str(message.id) for message in catalog if message.id and not _done(message.string)]


def _done(text: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(text) if isinstance(text, (tuple, list)) else bool(text)


def _sources(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / "platform" / package).rglob("*.py"))
    yield from sorted(path for path in (root / "templates").rglob("*") if path.suffix in _TEMPLATES)


def _from_python(path: Path) -> Iterator[tuple[int, Message]]:
    for line, function, texts, _comments in extract_python(BytesIO(path.read_bytes()), KEYWORDS, (), {}):
        parts = [text for text in (texts if isinstance(texts, (tuple, list)) else (texts,)) if text]
        if parts:
            yield line, _message(str(function), parts)


def _from_template(path: Path) -> Iterator[tuple[int, Message]]:
    source = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    for call in _CALL.finditer(source):
        parts, place = [], call.end()
        while literal := _LITERAL.match(source, place):
            parts.append(str(ast.literal_eval(literal["text"])))
            place = literal.end()
        if parts:
            yield source.count("\n", 0, call.start()) + 1, _message(call[1], parts)


def _message(function: str, parts: list[str]) -> Message:
    context = parts.pop(0) if function.replace("n", "", 1).startswith("pgettext") else None
    return context, (parts[0], parts[1]) if "ngettext" in function or "npgettext" in function else parts[0]
