"""What an instructor sees of a learner's run: a key that reads its cluster, the latest of its journal, its files.

Only a request with the key wakes a run that sleeps, as its owner's would; nothing of it changes the run.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from accounts.models import User
from django.utils.crypto import constant_time_compare, salted_hmac

from cluster_engine.sim import rfc3339
from cluster_engine.sim.journal import unpack_bytes
from runs import journal, lineage
from runs.models import JournalEntry, Run

READING_PREFIX = "ddv_"
#: Entries of a journal that a page shows, the latest.
SHOWN_ENTRIES = 200
#: Characters of one entry's body, and of one file, that a page shows.
SHOWN_TEXT = 4_000
#: What is asked for by GET and is more than reading.
_ACTS = re.compile(r"/(pods|services|nodes)/[^/]+/(exec|attach|portforward|proxy)(/|$)")


def reading_token(run: Run, reader: User) -> str:
    """Opens the run's cluster to this instructor, to read. Ends with the run, its token or the instructor's office."""
    mac = salted_hmac("drydock.reading-token", f"{run.pk}/{run.token_serial}/{reader.pk}", algorithm="sha256")
    return f"{READING_PREFIX}{reader.pk}_{mac.hexdigest()}"


def reader_of(run_id: uuid.UUID, token: str) -> User | None:
    """Whose reading token of this run it is, or None."""
    ident = token.removeprefix(READING_PREFIX).partition("_")[0]
    if not ident.isdecimal() or len(ident) > 18:
        return None
    reader = User.objects.filter(
        pk=int(ident), is_active=True, is_instructor=True, must_change_password=False
    ).first()
    run = Run.objects.for_user(reader).live().filter(pk=run_id).first() if reader is not None else None
    if run is None or reader is None or not constant_time_compare(token, reading_token(run, reader)):
        return None
    return reader


def is_reading(method: str, path: str) -> bool:
    """Whether a request to a cluster changes nothing. `path`: as it was sent, without the query."""
    return method in ("GET", "HEAD") and _ACTS.search(unquote(path)) is None


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a journal, told."""

    seq: int
    at: str
    kind: str
    what: str
    detail: str


def latest(run: Run) -> list[Step]:
    """The latest entries of the run's journal, the last first."""
    rows = lineage.entries(run.pk).reverse()[:SHOWN_ENTRIES]
    return [_told(row) for row in rows]


def _told(row: JournalEntry) -> Step:
    payload: dict[str, Any] = json.loads(row.payload)
    what, detail = "", ""
    if "method" in payload:
        query = "&".join(f"{name}={value}" for name, value in payload.get("query", []))
        what = f"{payload['method']} {payload['path']}{'?' + query if query else ''}"
        detail = _text(payload.get("body"))
    elif row.kind == journal.FILE:
        what = str(payload["path"])
        detail = _text(payload.get("content"))
    elif payload:
        what = json.dumps(payload, ensure_ascii=False)[:200]
    at = "" if row.kind == journal.HEADER else rfc3339(row.at_us)
    return Step(row.seq, at, row.kind, what[:500], detail)


def _text(packed: dict[str, str] | None) -> str:
    if not packed:
        return ""
    text = unpack_bytes(packed).decode("utf-8", "replace")
    return text if len(text) <= SHOWN_TEXT else text[:SHOWN_TEXT] + " …"


def files(run: Run) -> dict[str, str]:
    """The files that the learner changed or made, as the journal has them."""
    history = journal.read(run.pk)
    changed = journal.with_changes(history.frame.files if history.frame else {}, history.records)
    return {path: _text(content) for path, content in sorted(changed.items()) if content is not None}
