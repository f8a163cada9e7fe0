"""The cookies of previewed pages: kept here and sent along, as a browser would. The browser itself gets none of them.

A page of a learner's Pod is served below our own address; a cookie of its own there would be a cookie of ours.
"""

from __future__ import annotations

from collections import OrderedDict
from http.cookies import CookieError, Morsel, SimpleCookie

PAGES = 20
"""Pods and Services of one run whose cookies are kept; the one not asked for longest goes."""
COOKIES = 50
"""Cookies of one of them; the oldest goes."""
COOKIE_BYTES = 4_096
"""Of one cookie; a longer one is not kept, as browsers do."""

Page = tuple[str, str, str]
"""Kind, namespace and name."""


class Jars:
    """Those of one run. They are the host's alone, and end with it, as terminals do."""

    def __init__(self) -> None:
        self._jars: OrderedDict[Page, dict[tuple[str, str], str]] = OrderedDict()

    def header(self, page: Page, path: str) -> str:
        """The value of the header Cookie for a request; "" when there is none. Longer paths come first (RFC 6265)."""
        fitting = [(key, value) for key, value in self._jars.get(page, {}).items() if _covers(key[0], path)]
        fitting.sort(key=lambda cookie: -len(cookie[0][0]))
        return "; ".join(f"{name}={value}" for (_, name), value in fitting)

    def take(self, page: Page, path: str, header: str) -> None:
        """Keep what a header Set-Cookie of an answer says, or forget it."""
        if len(header) > COOKIE_BYTES:
            return
        try:
            found = SimpleCookie(header)
        except CookieError:
            return
        jar = self._jars.pop(page, {})
        for name, morsel in found.items():
            key = (morsel["path"] if str(morsel["path"]).startswith("/") else _folder(path), name)
            jar.pop(key, None)
            if not _over(morsel):
                jar[key] = morsel.coded_value
        for key in list(jar)[: max(0, len(jar) - COOKIES)]:
            del jar[key]
        self._jars[page] = jar
        if len(self._jars) > PAGES:
            self._jars.popitem(last=False)


def _covers(own: str, path: str) -> bool:
    asked = path.partition("?")[0]
    return asked == own or asked.startswith(own if own.endswith("/") else f"{own}/")


def _folder(path: str) -> str:
    """The default path of a cookie that names none."""
    return path.partition("?")[0].rpartition("/")[0] or "/"


def _over(morsel: Morsel[str]) -> bool:
    """Whether the cookie is to be forgotten: how else it ends, no preview lives to see."""
    return morsel["max-age"].startswith(("0", "-")) or "1970" in morsel["expires"]
