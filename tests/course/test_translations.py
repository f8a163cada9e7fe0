"""Everything that a person reads has a Chinese translation, and the scripts' strings are all there."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from course.messages import messages, read_catalogue
from course.strings import JS_STRINGS

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "static" / "src" / "ts"
PERCENT = re.compile(r"%\((\w+)\)[sd]")


def test_every_message_is_in_the_catalogue() -> None:
    """If this fails: `manage.py messages`, then translate what it lists."""
    catalog = read_catalogue(ROOT)
    known = {(m.context, tuple(m.id) if isinstance(m.id, (list, tuple)) else m.id) for m in catalog if m.id}
    found = messages(ROOT)
    assert {m: places for m, places in found.items() if m not in known} == {}
    assert known - found.keys() == set(), "no longer in the sources"


def test_nothing_is_untranslated_or_fuzzy() -> None:
    texts = {
        m.id: m.string if isinstance(m.string, tuple) else (m.string,) for m in read_catalogue(ROOT) if m.id
    }
    assert [ident for ident, strings in texts.items() if not all(strings)] == []
    assert [m.id for m in read_catalogue(ROOT) if m.id and m.fuzzy] == []


def _fields(text: str) -> set[str]:
    return set(PERCENT.findall(text)) | {name for _, name, _, _ in Formatter().parse(text) if name}


def test_translations_fill_the_same_fields() -> None:
    for message in read_catalogue(ROOT):
        if not message.id:
            continue
        source = message.id if isinstance(message.id, str) else message.id[-1]
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            assert _fields(text) == _fields(source), message.id


def _keys_used(pattern: str = r"""\bt\(\s*(["'`])([\w.]+(?:\$\{[\w.]+\})?)\1""") -> set[str]:
    return {match[2] for path in SCRIPTS.rglob("*.ts") for match in re.finditer(pattern, path.read_text())}


@pytest.mark.parametrize("direction", ["used but not given", "given but not used"])
def test_script_strings(direction: str) -> None:
    given = {key for bundle in JS_STRINGS.values() for key in bundle}
    used = _keys_used()
    families = tuple(key.split("${")[0] for key in used if "${" in key)
    plain = {key for key in used if "${" not in key}
    if direction == "used but not given":
        assert plain - given == set()
        assert [family for family in families if not any(key.startswith(family) for key in given)] == []
    else:
        assert {key for key in given - plain if not key.startswith(families)} == set()
