"""Search over lessons, labs and the glossary, in the reader's language.

An index in memory, built from the course when it is first asked, one a language: the course is part of the installation
and some megabytes at most, so no database has to keep a copy. English is found by words without their endings, Chinese
by characters and pairs of them. What is found is ranked as by BM25 (Robertson and Zaragoza, 2009); words of headings
count more.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from course import markdown
from labs.kit import catalog, glossary
from labs.kit.catalog import Course

QUERY = 100
"""Characters of a query that are read."""
WORDS = 12
"""Words of a query that are looked for."""
FOUND = 30
"""Places that are shown."""
DOCUMENTS = 5_000
"""Places that an index holds; what is beyond is not found."""
SNIPPET = 180
"""Characters of a snippet."""
HEADING = 4
"""A word of a heading counts as so many of the text."""
SATURATION, LENGTH = 1.2, 0.75
"""BM25's k1 and b."""

_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_ENDINGS = ("ings", "ing", "ies", "es", "ed", "s")


@dataclass(frozen=True)
class Place:
    """What can be found: a section of a lesson, a lab, a term."""

    kind: str
    """lesson, lab or term"""
    title: str
    under: str
    """What it is a part of; empty of a whole."""
    url: str
    text: str


@dataclass(frozen=True)
class Hit:
    """A place with the words around the first match."""

    place: Place
    snippet: SafeString


@dataclass(frozen=True)
class Index:
    """Which place has which words, how often."""

    places: tuple[Place, ...]
    lengths: tuple[int, ...]
    words: dict[str, dict[int, int]]

    def find(self, query: str) -> list[Hit]:
        """The best places for the query, at most FOUND. A place that lacks one of its words comes after those that
        have all of them."""
        wanted = list(dict.fromkeys(words_of(query[:QUERY])))[:WORDS]
        scores: defaultdict[int, float] = defaultdict(float)
        having: Counter[int] = Counter()
        mean = sum(self.lengths) / max(1, len(self.lengths))
        for word in wanted:
            found = self.words.get(word, {})
            weight = math.log(1 + (len(self.places) - len(found) + 0.5) / (len(found) + 0.5))
            for number, times in found.items():
                length = 1 - LENGTH + LENGTH * self.lengths[number] / mean
                scores[number] += weight * times * (SATURATION + 1) / (times + SATURATION * length)
                having[number] += 1
        best = sorted(scores, key=lambda number: (-having[number], -scores[number], number))[:FOUND]
        return [Hit(self.places[number], snippet(self.places[number].text, wanted)) for number in best]


def words_of(text: str) -> Iterator[str]:
    """The words by which a text is found: Latin ones without endings, of Chinese each pair of neighbours, or the one
    character where there is no other."""
    for match in _WORD.finditer(text.lower()):
        word = match[0]
        if not _HAN.match(word):
            yield stem(word)
        elif len(word) == 1:
            yield word
        else:
            yield from (word[at : at + 2] for at in range(len(word) - 1))


def stem(word: str) -> str:
    """The word without the ending of a plural or a verb's form."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def _forms(text: str) -> Iterator[str]:
    """What a text is found by: its words, and each Chinese character by itself."""
    yield from words_of(text)
    yield from _HAN.findall(text)


def snippet(text: str, wanted: list[str]) -> SafeString:
    """The text around the first match, with the matches marked; its beginning where there is none."""
    spans = list(_matches(text, wanted))
    start = max(0, spans[0][0] - SNIPPET // 3) if spans else 0
    if start > 0:
        space = text.find(" ", start, start + 20)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + SNIPPET)
    parts, place = ["… " if start else ""], start
    for begin, stop in spans:
        if begin < place or stop > end:
            continue
        parts += [escape(text[place:begin]), f"<mark>{escape(text[begin:stop])}</mark>"]
        place = stop
    parts += [escape(text[place:end]), " …" if end < len(text) else ""]
    return mark_safe("".join(parts))  # every part is escaped here


def _matches(text: str, wanted: list[str]) -> Iterator[tuple[int, int]]:
    """(from, to) of what the wanted words match, in order."""
    known = set(wanted)
    for match in _WORD.finditer(text.lower()):
        word, at = match[0], match.start()
        if not _HAN.match(word):
            if stem(word) in known:
                yield at, match.end()
            continue
        marked = [any(word[i : i + len(w)] == w and i <= n < i + len(w) for w in known for i in (n - 1, n) if i >= 0)
                  for n in range(len(word))]  # fmt: skip
        n = 0
        while n < len(word):
            if marked[n]:
                stop = n
                while stop < len(word) and marked[stop]:
                    stop += 1
                yield at + n, at + stop
                n = stop
            n += 1


def _places(course: Course, language: str) -> Iterator[Place]:
    for term in glossary.load():
        yield Place(
            "term", term.name[language], "", f"{reverse('course:glossary')}#{term.id}", term.text[language]
        )
    for lesson in course.lessons:
        title, url = lesson.title[language], reverse("course:lesson", args=[lesson.slug])
        sections = markdown.sections(lesson.body[language])
        first = " ".join([lesson.summary[language], *(each.text for each in sections if not each.anchor)])
        yield Place("lesson", title, "", url, first)
        for section in sections:
            if section.anchor:
                yield Place("lesson", section.title, title, f"{url}#{section.anchor}", section.text)
        for lab in lesson.labs:
            text = " ".join(
                [
                    lab.summary[language],
                    *(each.text for each in markdown.sections(lab.instructions[language])),
                ]
            )
            yield Place("lab", lab.title[language], title, reverse("course:lab", args=[lab.slug]), text)


@lru_cache(maxsize=4)
def _built(course: Course, language: str) -> Index:
    places = tuple(place for place, _ in zip(_places(course, language), range(DOCUMENTS), strict=False))
    words: defaultdict[str, dict[int, int]] = defaultdict(dict)
    lengths = []
    for number, place in enumerate(places):
        counts = Counter(_forms(place.text))
        for word, times in Counter(_forms(place.title)).items():
            counts[word] += HEADING * times
        for word, times in counts.items():
            words[word][number] = times
        lengths.append(sum(counts.values()))
    return Index(places, tuple(lengths), dict(words))


def index(language: str) -> Index:
    """The course's index in that language."""
    return _built(catalog.load(), language)
