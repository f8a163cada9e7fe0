"""System checks: a misconfiguration is a sentence at start, not a riddle at run time.

`manage.py check` runs them; `make up` does before it starts anything.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

MIN_SECRET = 32


@register()
def secrets(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Keys that are long, ours, and not one and the same."""
    if settings.TESTING:
        return []
    found: list[CheckMessage] = []
    if "insecure" in settings.SECRET_KEY:
        found.append(
            Warning(
                "DRYDOCK_SECRET_KEY is not set; a key that everyone knows is in use.",
                hint="Run `make install`, which writes a random one to var/drydock.env.",
                id="drydock.W001",
            )
        )
    elif len(settings.SECRET_KEY) < MIN_SECRET:
        found.append(Error(f"DRYDOCK_SECRET_KEY is shorter than {MIN_SECRET} characters.", id="drydock.E001"))
    if len(settings.HOST_SECRET) < MIN_SECRET:
        found.append(
            Error(f"DRYDOCK_HOST_SECRET is shorter than {MIN_SECRET} characters.", id="drydock.E002")
        )
    if not settings.RELAXED and settings.HOST_SECRET == settings.SECRET_KEY:
        found.append(Error("DRYDOCK_HOST_SECRET must differ from DRYDOCK_SECRET_KEY.", id="drydock.E003"))
    return found


@register(deploy=True)
def debugging(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """`check --deploy`: no error pages that show the code to whoever asks, no key that everyone knows."""
    found: list[CheckMessage] = []
    if settings.DEBUG and "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "DRYDOCK_DEBUG is on and DRYDOCK_ALLOWED_HOSTS contains '*': anybody can read this site's "
                "settings and code on its error pages.",
                hint="Unset DRYDOCK_DEBUG and name the hosts.",
                id="drydock.E009",
            )
        )
    if "insecure" in settings.SECRET_KEY or "insecure" in settings.HOST_SECRET:
        found.append(
            Error(
                "a key that everyone knows is in use: anybody can forge sessions and tokens.",
                hint="Run `make install`, or set DRYDOCK_SECRET_KEY and DRYDOCK_HOST_SECRET.",
                id="drydock.E010",
            )
        )
    return found


@register()
def redis_url(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """A Redis address that can be one."""
    parts = urlsplit(settings.REDIS_URL)
    if parts.scheme not in ("redis", "rediss", "unix"):
        return [
            Error(
                f"DRYDOCK_REDIS_URL has the scheme {parts.scheme!r}.",
                hint="redis://host:6379/0, rediss://… or unix:///path expected.",
                id="drydock.E004",
            )
        ]
    return []


@register()
def hosts(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """No wildcard host in production: the terminal's origin check leans on ALLOWED_HOSTS."""
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        found.append(
            Error("DRYDOCK_ALLOWED_HOSTS must not contain '*': origins are checked by it.", id="drydock.E005")
        )
    if settings.HOST_BIND not in ("127.0.0.1", "::1") and not settings.HOST_ADVERTISE:
        found.append(
            Error(
                "DRYDOCK_HOST_BIND is not loopback, but DRYDOCK_HOST_ADVERTISE does not say how the web tier "
                "reaches this host.",
                id="drydock.E006",
            )
        )
    return found


@register()
def database_for_many(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """SQLite is for one machine."""
    if not settings.RELAXED and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return [
            Warning(
                "SQLite outside the embedded mode: only one machine can run this site.",
                hint="Set DRYDOCK_DATABASE_URL=postgresql://…",
                id="drydock.W002",
            )
        ]
    return []


@register()
def course(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """The course on disk can be read."""
    try:
        from labs.kit import catalog
    except ImportError as error:
        return [Error(f"The course library cannot be imported: {error}", id="drydock.E007")]
    try:
        catalog.load()
    except (ValueError, KeyError, OSError) as error:
        return [Error(f"The course cannot be read: {error}", hint="manage.py lab lint", id="drydock.E008")]
    return []
