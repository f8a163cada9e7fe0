"""Who may enter `/clusters/<run>/…`: the run's owner, by session cookie, API token or the run's own token; and an
instructor, to read, by a token for that.

Answers as Kubernetes would: no credentials is 403 (an anonymous user), a wrong credential 401, and a run
that is not yours 404, the same as one that never was.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from types import SimpleNamespace

from accounts.models import ApiToken, User
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections

from runs.models import RUN_TOKEN_PREFIX, Run
from runs.reading import READING_PREFIX, reader_of

ALLOW_SECONDS = 3.0
DENY_SECONDS = 0.5
CACHE_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the request brought: at most one of the two is used, the token first."""

    token: str = ""
    session: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str], path_token: str = "") -> Credentials:
        """From the request's headers (lower-case names)."""
        if path_token:
            return cls(token=path_token)
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme:
            return cls(token=value.strip() if scheme.lower() in ("bearer", "token") else "?")
        return cls(session=_cookie(headers.get("cookie", ""), settings.SESSION_COOKIE_NAME))


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """200 to let in; else the status to answer with."""

    status: int
    user_id: int = 0
    #: Lets in to look, not to change anything.
    reads_only: bool = False


ANONYMOUS = Decision(403)
UNAUTHORIZED = Decision(401)
NOT_FOUND = Decision(404)


def _user_of(credentials: Credentials) -> User | None:
    if credentials.token:
        token = ApiToken.objects.find(credentials.token)
        if token is None:
            return None
        token.touch()
        return token.user
    user = get_user(SimpleNamespace(session=SessionStore(credentials.session)))  # type: ignore[arg-type]
    return user if isinstance(user, User) and user.is_active else None


def decide(run_id: uuid.UUID, credentials: Credentials) -> Decision:
    """Look it up in the database."""
    if not credentials.token and not credentials.session:
        return ANONYMOUS
    if credentials.token.startswith(RUN_TOKEN_PREFIX):
        run = Run.objects.live().filter(pk=run_id, user__is_active=True).first()
        if run is None or not run.accepts(credentials.token):
            return UNAUTHORIZED
        return Decision(200, run.user_id)
    if credentials.token.startswith(READING_PREFIX):
        reader = reader_of(run_id, credentials.token)
        return UNAUTHORIZED if reader is None else Decision(200, reader.pk, reads_only=True)
    user = _user_of(credentials)
    if user is None:
        return UNAUTHORIZED if credentials.token else ANONYMOUS
    if not Run.objects.owned_by(user).live().filter(pk=run_id).exists():
        return NOT_FOUND
    return Decision(200, user.pk)


def _decide_in_thread(run_id: uuid.UUID, credentials: Credentials) -> Decision:
    close_old_connections()
    try:
        return decide(run_id, credentials)
    finally:
        close_old_connections()


class Gate:
    """`decide` with a short memory, so that a busy client costs one query every few seconds."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[float, Decision]] = OrderedDict()

    async def check(self, run_id: uuid.UUID, credentials: Credentials) -> Decision:
        """May this request enter?"""
        key = hashlib.sha256(f"{run_id}\0{credentials.token}\0{credentials.session}".encode()).digest()
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and known[0] > now:
            return known[1]
        decision = await sync_to_async(_decide_in_thread)(run_id, credentials)
        keep = ALLOW_SECONDS if decision.status == 200 else DENY_SECONDS
        self._known[key] = (now + keep, decision)
        self._known.move_to_end(key)
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return decision
