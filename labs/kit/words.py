"""The sentences of the library in every language, and how a text in all languages is made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

Text = dict[str, str]
"""A sentence by language."""

_FOLDER = Path(__file__).parent / "texts"
_FIRST = "en"
_NAME = re.compile(r"\{([a-z]+)\}")
_HAN_THEN_LATIN = re.compile(r"([\u4e00-\u9fff])(?=[`A-Za-z0-9])")
_LATIN_THEN_HAN = re.compile(r"([`A-Za-z0-9])(?=[\u4e00-\u9fff])")


SAID_KEPT = 1_024
"""Sentences that are remembered with what was filled in."""


def _read() -> dict[str, dict[str, str]]:
    paths = {path.stem: path for path in _FOLDER.glob("*.yaml")}
    return {
        language: yaml.safe_load(paths[language].read_text(encoding="utf-8"))
        for language in sorted(paths, key=lambda language: (language != _FIRST, language))
    }


TEXTS = _read()
"""By language, then by key; English first. A file in the folder is a language; what it lacks is said in English."""
LANGUAGES = ("en", "zh-hans")
"""Those that every text of the course has. Further ones are there where somebody has written them."""


def of(text: Mapping[str, str], language: str) -> str:
    """The text in that language, else in English."""
    return text[language] if language in text else text[_FIRST]


def t(en: str, zh: str) -> Text:
    """A sentence in the two languages that the course began with."""
    return {"en": en, "zh-hans": zh}


def plain(text: str) -> Text:
    """What is the same in every language: a name, a number, code."""
    return dict.fromkeys(LANGUAGES, text)


def fill(template: Mapping[str, str], values: Mapping[str, Any]) -> Text:
    """The template with its ``{names}`` filled in; a value may be a Text. A name without a value stays as it is."""
    filled = {language: _fill(text, language, values) for language, text in template.items()}
    return {language: _spaced(text) if language == "zh-hans" else text for language, text in filled.items()}


def _fill(text: str, language: str, values: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], match[0])
        return str(of(found, language) if isinstance(found, Mapping) else found)

    return _NAME.sub(value, text)


def _spaced(text: str) -> str:
    """One space between Chinese and Latin letters, which parts that are put together do not have by themselves."""
    return _LATIN_THEN_HAN.sub(r"\1 ", _HAN_THEN_LATIN.sub(r"\1 ", text))


def say(key: str, **values: Any) -> Text:
    """The sentence of that key in every language. Raises KeyError for an unknown key."""
    told = (tuple(value.items()) if isinstance(value, dict) else str(value) for value in values.values())
    return dict(_said(key, tuple(zip(values, told, strict=True))))


@lru_cache(maxsize=SAID_KEPT)
def _said(key: str, values: tuple[tuple[str, str | tuple[tuple[str, str], ...]], ...]) -> Text:
    """The sentence; a check that asks of each moment of the past says the same a thousand times."""
    known = {name: value if isinstance(value, str) else dict(value) for name, value in values}
    return fill({language: texts[key] for language, texts in TEXTS.items() if key in texts}, known)


def join(parts: list[Text], separator: Text | None = None) -> Text:
    """Sentences side by side."""
    between = separator or plain(", ")
    languages = dict.fromkeys([*LANGUAGES, *(language for part in parts for language in part)])
    return {
        language: of(between, language).join(of(part, language) for part in parts) for language in languages
    }
