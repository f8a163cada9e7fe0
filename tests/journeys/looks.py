"""How the site can look, which looks a test takes, and pictures of them.

Each test takes some looks, so that together they cover every width, language and theme; with `DRYDOCK_SOAK=1` it takes
all of them. `pytest --pictures FOLDER` (`make pictures`) keeps a picture of every state that a test names.
"""

from __future__ import annotations

import os
import re
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ALL = os.environ.get("DRYDOCK_SOAK") == "1"
NARROW, MIDDLE, WIDE = 390, 1024, 1440


class Look(NamedTuple):
    """A browser's width, language and theme."""

    width: int
    language: str
    scheme: str
    pseudo: bool = False
    """Whether the page's scripts speak the language that nobody speaks (`pseudo.py`)."""

    def __str__(self) -> str:
        return f"{self.width}-{self.language[:2]}-{self.scheme}{'-pseudo' if self.pseudo else ''}"

    @property
    def options(self) -> dict[str, Any]:
        """Of a browser context."""
        height = 844 if self.width == NARROW else 900
        return {
            "locale": self.language,
            "color_scheme": self.scheme,
            "viewport": {"width": self.width, "height": height},
        }


EVERY = tuple(Look(*each) for each in product((NARROW, MIDDLE, WIDE), ("en-GB", "zh-CN"), ("light", "dark")))
FEW = (Look(WIDE, "en-GB", "light"), Look(MIDDLE, "zh-CN", "dark"), Look(NARROW, "zh-CN", "light"))


def looks() -> Any:
    """A test of every look, or of the few that have each width, language and theme."""
    return pytest.mark.parametrize("look", EVERY if ALL else FEW, ids=str)


#: What was pressed is drawn: two frames have passed, and what moves once has come to rest.
DRAWN = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => Promise.all(
    document.getAnimations().filter(each => each.effect.getTiming().iterations !== Infinity)
        .map(each => each.finished.catch(() => null))))"""


def picture(page: Any, folder: Path | None, look: Look, name: str) -> None:
    """Keep what the page shows, when pictures are wanted."""
    if folder is not None:
        place = folder / str(look)
        place.mkdir(parents=True, exist_ok=True)
        page.evaluate(DRAWN)
        page.screenshot(path=place / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.png")


def wanted(number: int, *, widths: tuple[int, ...] = (NARROW, MIDDLE, WIDE)) -> list[Look]:
    """The looks of a module's test of that number: one of those that it can have, in turn; or all of them."""
    able = [look for look in EVERY if look.width in widths]
    return able if ALL else [able[number * 7 % len(able)]]
