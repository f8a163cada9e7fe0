"""The languages of the site, and those further ones in which somebody has written a lab or a lesson.

The site speaks two of its own: its catalogues are in `locale/`, and every text of the course has them. One file more,
`lab.de.md`, has that lab in German, too: the lab's pages offer it, and what is not translated there stays English.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from django.conf.locale import LANG_INFO

SITE = (("en", "English"), ("zh-hans", "简体中文"))
COURSE = Path(__file__).resolve().parents[2] / "labs"

_PAGE = re.compile(r"(?:lab|lesson)\.([a-z0-9-]+)\.md")


def in_course(root: Path) -> list[str]:
    """The languages of the files of labs and lessons, sorted."""
    files = [*root.glob("*/*/lesson.*.md"), *root.glob("*/*/labs/*/lab.*.md")]
    return sorted({found[1] for path in files if (found := _PAGE.fullmatch(path.name))})


@cache
def all_of_them() -> tuple[tuple[str, str], ...]:
    """(code, its own name) of each that can be chosen, the site's first. One that Django does not know is none."""
    further = [
        code for code in in_course(COURSE) if code not in dict(SITE) and "name" in LANG_INFO.get(code, {})
    ]
    return (*SITE, *((code, LANG_INFO[code]["name_local"]) for code in further))
