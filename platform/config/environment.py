"""Reading settings from the environment, loudly.

A setting that is missing or malformed stops the start with one sentence that names the variable;
nothing falls back in silence. A file of `KEY=value` lines (`var/drydock.env`, written by
`make install`) supplies what the environment itself does not.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})
MAX_FILE_BYTES = 64 * 1024
CONNECTION_SECONDS = 60
"""That a thread keeps its connection to the database."""


def read_file(path: Path) -> dict[str, str]:
    """The `KEY=value` lines of `path`; an absent file is empty."""
    if not path.is_file():
        return {}
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ImproperlyConfigured(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals or not key.strip().isidentifier():
            raise ImproperlyConfigured(f"{path}:{number}: expected KEY=value")
        values[key.strip()] = value.strip().strip("\"'")
    return values


def write_file(path: Path, values: Mapping[str, str]) -> None:
    """Write `values` where only this user may read them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{key}={value}\n" for key, value in values.items())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("# Made by `make install`; keep it secret, keep it out of version control.\n" + text)


def fresh_secrets() -> dict[str, str]:
    """New random values for the secrets of one installation."""
    return {
        "DRYDOCK_SECRET_KEY": secrets.token_urlsafe(48),
        "DRYDOCK_HOST_SECRET": secrets.token_urlsafe(32),
    }


class Environment:
    """Typed access to one mapping of settings."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def text(self, name: str, default: str | None = None) -> str:
        """A string; without a default it must be set."""
        value = self.values.get(name, default)
        if not value and default is None:
            raise ImproperlyConfigured(f"{name} is not set: set it in the environment, or run `make install`")
        return value or ""

    def flag(self, name: str, default: bool) -> bool:
        """A boolean."""
        value = self.values.get(name)
        if value is None:
            return default
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        raise ImproperlyConfigured(f"{name}={value!r}: expected 1 or 0")

    def number(self, name: str, default: int, minimum: int = 0) -> int:
        """A whole number of at least `minimum`."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name}={value!r}: expected a whole number") from None
        if number < minimum:
            raise ImproperlyConfigured(f"{name}={number}: expected at least {minimum}")
        return number

    def words(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """A comma-separated list."""
        value = self.values.get(name)
        if value is None:
            return list(default)
        return [word.strip() for word in value.split(",") if word.strip()]

    def networks(self, name: str) -> list[Network]:
        """Addresses and networks (`10.0.0.0/8`), separated by commas."""
        try:
            return [ipaddress.ip_network(word, strict=False) for word in self.words(name)]
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from None


def database(url: str, root: Path) -> dict[str, Any]:
    """Django's DATABASES entry for `sqlite:///path` or `postgresql://user:password@host:port/name`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        name = unquote(parts.path)[1:]
        if not name:
            raise ImproperlyConfigured(f"DRYDOCK_DATABASE_URL={url!r}: sqlite:///<path> expected")
        path = Path(name) if name.startswith("/") else root / name
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(path),
            # To open it costs more than a commit: functions, settings, the whole schema.
            "CONN_MAX_AGE": CONNECTION_SECONDS,
            # IMMEDIATE: a transaction takes the write lock at once, so it waits for its turn instead of
            # failing with "database is locked" when it turns from reading to writing.
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                    "PRAGMA temp_store=MEMORY;"
                ),
            },
        }
    if parts.scheme in ("postgres", "postgresql"):
        try:
            port = parts.port
        except ValueError:
            raise ImproperlyConfigured("DRYDOCK_DATABASE_URL: the port is not a number") from None
        if not parts.path.strip("/"):
            raise ImproperlyConfigured("DRYDOCK_DATABASE_URL: the database's name is missing")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.strip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(port or ""),
            "CONN_MAX_AGE": CONNECTION_SECONDS,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    raise ImproperlyConfigured(
        f"DRYDOCK_DATABASE_URL: {parts.scheme or 'no'} scheme; sqlite:/// or postgresql:// expected"
    )


def broker(url: str) -> str:
    """The same Redis in Celery's spelling, which has its own for unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={number}"
