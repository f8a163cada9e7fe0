"""Lists: whole, in chunks that fit together, or as Tables.

A chunked list shows one moment: what was stored when its first chunk was read. Objects are immutable, so a
moment is a list of references; the last few are kept, and a token for one that is gone gets a 410 with a
token to go on inconsistently, as upstream does after compaction.

Models k8s.io/apiserver/pkg/storage/etcd3 (GetList, continue tokens).
"""

from __future__ import annotations

import base64
from bisect import bisect_left

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.etcd import Store

from .options import ListOptions
from .selection import Selection

_MOMENTS = 16
_TOKEN_LIMIT = 4_096
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
    "the results. Continuing with the provided token results in an inconsistent list - objects that were "
    "created, modified, or deleted between the time the first chunk was returned and now may "
    "show up in the list."
)


class Lister:
    """Reads lists of one cluster."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._moments: dict[tuple[int, str, str | None, str, str], list[JSON]] = {}

    def read(self, selection: Selection, options: ListOptions) -> tuple[list[JSON], JSON]:
        """(objects, ListMeta). Raises ApiError 400, 410."""
        store = self._store
        self._check_version(options)
        if not options.continue_token:
            found = selection.list(store)
            return self._cut(selection, options, found, store.revision)
        revision, start = _read_token(options.continue_token)
        if revision < 0:
            found = selection.list(store)
            revision = store.revision
        else:
            kept = self._moments.get(_moment(selection, options, revision))
            if kept is None:
                problem = errors.expired(_EXPIRED)
                meta = {"continue": _write_token(-1, start)}
                raise errors.ApiError({**problem.status, "metadata": meta})
            found = kept
        found = found[bisect_left(found, start, key=key_of) :]
        return self._cut(selection, options, found, revision)

    def _check_version(self, options: ListOptions) -> None:
        wanted, current = options.resource_version, self._store.revision
        if wanted is None or wanted == 0:
            return
        if wanted > current:
            # Upstream waits three seconds and answers 504; clients begin anew on either.
            raise errors.expired(f"Too large resource version: {wanted}, current: {current}")
        if options.match == "Exact" and wanted != current:
            raise errors.expired(f"The provided resource version is too old: {wanted} ({current})")

    def _cut(
        self, selection: Selection, options: ListOptions, found: list[JSON], revision: int
    ) -> tuple[list[JSON], JSON]:
        meta: JSON = {"resourceVersion": str(revision)}
        limit = options.limit
        if not limit or len(found) <= limit:
            return found, meta
        rest = found[limit:]
        moment = _moment(selection, options, revision)
        if moment not in self._moments:
            if len(self._moments) >= _MOMENTS:
                del self._moments[next(iter(self._moments))]
            self._moments[moment] = rest
        meta["continue"] = _write_token(revision, key_of(rest[0]))
        if selection.everything:
            meta["remainingItemCount"] = len(rest)
        return found[:limit], meta


def _moment(
    selection: Selection, options: ListOptions, revision: int
) -> tuple[int, str, str | None, str, str]:
    resource = selection.kind.group_resource
    return (revision, resource, selection.namespace, options.label_selector, options.field_selector)


def _write_token(revision: int, start: str) -> str:
    data = orjson.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start})
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _read_token(token: str) -> tuple[int, str]:
    if len(token) <= _TOKEN_LIMIT:
        try:
            data = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        except ValueError:
            data = None
        if isinstance(data, dict):
            revision, start = data.get("rv"), data.get("start")
            if data.get("v") == "meta.k8s.io/v1" and isinstance(revision, int) and isinstance(start, str):
                return revision, start
    raise errors.bad_request("continue key is not valid: illegal base64 data at input byte 0")
