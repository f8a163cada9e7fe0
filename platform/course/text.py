"""Course text is a dict of languages; pick the reader's."""

from collections.abc import Mapping

from django.utils.translation import get_language

from labs.kit.words import LANGUAGES

FALLBACK = "en"


def reader_language() -> str:
    """The reader's language, if the course has it; else English."""
    language = (get_language() or FALLBACK).lower()
    return language if language in LANGUAGES else FALLBACK


def localized(text: Mapping[str, str] | str, language: str | None = None) -> str:
    """The text in `language` (default: the reader's), else English, else whatever there is.

    Catalogue languages are written in lower case ("zh-hans"), as Django does.
    """
    if isinstance(text, str):
        return text
    wanted = (language or get_language() or FALLBACK).lower()
    for code in (wanted, wanted.split("-")[0], FALLBACK):
        if text.get(code):
            return text[code]
    return next(iter(text.values()), "")
