"""Template tags of the course pages: `lang`, `icon`, `js_strings`, `lab_state`."""

from collections.abc import Mapping
from typing import Any

from config import languages
from django import template
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from course.icons import ICONS
from course.strings import JS_STRINGS
from course.text import localized

register = template.Library()


@register.filter
def lang(text: Mapping[str, str] | str) -> str:
    """`{{ lab.title|lang }}`: the text in the reader's language."""
    return localized(text)


@register.filter
def lang_code(text: Mapping[str, str] | str) -> SafeString:
    """As `lang`, with `code` in backticks shown as code: for titles of checks."""
    parts = localized(text).split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if i % 2 else part,) for i, part in enumerate(parts))
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "check" %}`: a decorative icon (hidden from assistive technology)."""
    return format_html(
        '<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        ICONS[name],
    )


@register.simple_tag
def js_strings(bundle: str) -> SafeString:
    """The translated strings of one JavaScript bundle, as inert JSON (the policy allows no inline script)."""
    strings = {key: str(text) for key, text in JS_STRINGS[bundle].items()}
    return json_script(strings, f"strings-{bundle}")


@register.simple_tag(takes_context=True)
def other_languages(context: Mapping[str, Any]) -> list[dict[str, str]]:
    """The languages to offer: the site's other one, and what else the page's lab or lesson is written in."""
    current = (get_language() or "").lower()
    shown = context.get("lab") or context.get("lesson")
    further = [code for code in getattr(shown, "languages", ()) if code not in dict(languages.SITE)]
    own = [other_language()["code"]] if current in dict(languages.SITE) else [*dict(languages.SITE)]
    names = {**dict(languages.all_of_them()), "zh-hans": "中文"}
    return [
        {"code": code, "name": names[code]} for code in own + further if code in names and code != current
    ]


def other_language() -> dict[str, str]:
    """The site's other language: there are two of its own."""
    if (get_language() or "").lower().startswith("zh"):
        return {"code": "en", "name": "English"}
    return {"code": "zh-hans", "name": "中文"}


@register.filter
def state_name(state: str) -> str:
    """A lab's or lesson's standing, in words."""
    names: dict[str, Any] = {
        "passed": gettext("Passed"),
        "started": gettext("In progress"),
        "new": gettext("Not started"),
    }
    return str(names[state])


@register.filter
def lab_kind(kind: str) -> str:
    """What a lab asks for, in a word: `{{ lab.type|lab_kind }}`."""
    names: dict[str, Any] = {
        "guided": gettext("Guided"),
        "prediction": gettext("Prediction"),
        "challenge": gettext("Challenge"),
        "repair": gettext("Repair"),
    }
    return str(names[kind])


@register.filter
def run_state(state: str) -> str:
    """A run's state, in words."""
    names: dict[str, Any] = {
        "requested": gettext("Waiting"),
        "booting": gettext("Starting"),
        "ready": gettext("In progress"),
        "passed": gettext("Passed"),
        "stopped": gettext("Stopped"),
        "failed": gettext("Failed"),
    }
    return str(names[state])


@register.filter
def check_state(state: str) -> str:
    """How one check went, in words."""
    names: dict[str, Any] = {
        "passed": gettext("Passed"),
        "failed": gettext("Not yet"),
        "pending": gettext("Still under way"),
        "error": gettext("The check itself failed"),
    }
    return str(names.get(state, state))


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """`{{ mapping|get:key }}`."""
    return mapping[key]


@register.filter
def place_name(kind: str) -> str:
    """What kind of place was found."""
    names: dict[str, Any] = {"lesson": gettext("Lesson"), "lab": gettext("Lab"), "term": gettext("Word")}
    return str(names[kind])


@register.filter
def water(percent: int) -> float:
    """The height of the water in the dock illustration (0 … 62 units) for a progress in percent."""
    return round(6 + 0.56 * percent, 1)
