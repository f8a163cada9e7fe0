"""Lists: whole, of an older moment, in chunks that fit together, or as Tables.

All chunks of a list show the revision of the first one: the store can be read at any revision that is not
compacted. A token for one that is gets a 410 with a token to go on inconsistently.

Models k8s.io/apiserver/pkg/storage/etcd3 (GetList, continue tokens, errors).
"""

from __future__ import annotations

import base64
from bisect import bisect_left

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.etcd import Compacted

from .options import ListOptions
from .selection import Readable, Selection

_TOKEN_LIMIT = 4_096
_TOO_OLD = "The resourceVersion for the provided list is too old."
_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
    "the results. Continuing with the provided token results in an inconsistent list - objects that were "
    "created, modified, or deleted between the time the first chunk was returned and now may "
    "show up in the list."
)


def read(store: Readable, selection: Selection, options: ListOptions) -> tuple[list[JSON], JSON]:
    """(objects, ListMeta). Raises ApiError 400, 410."""
    wanted, current = options.resource_version or 0, store.revision
    if wanted > current:
        # Upstream waits three seconds and answers 504; clients begin anew on either.
        raise errors.expired(f"Too large resource version: {wanted}, current: {current}")
    if not options.continue_token:
        # Without a match, a version and a limit together mean that very version (the legacy form of Exact).
        exact = wanted and (options.match == "Exact" or (not options.match and options.limit))
        try:
            found = selection.list(store, wanted if exact else None)
        except Compacted as problem:
            raise errors.expired(_TOO_OLD) from problem
        return _cut(selection, options.limit, found, wanted if exact else current)
    revision, start = _read_token(options.continue_token)
    try:
        if revision > current:
            raise Compacted(revision, current)  # a token of another life of this cluster
        found = selection.list(store, None if revision < 0 else revision)
    except Compacted as problem:
        status = errors.expired(_EXPIRED).status
        raise errors.ApiError({**status, "metadata": {"continue": _write_token(-1, start)}}) from problem
    found = found[bisect_left(found, start, key=key_of) :]
    return _cut(selection, options.limit, found, current if revision < 0 else revision)


def _cut(selection: Selection, limit: int, found: list[JSON], revision: int) -> tuple[list[JSON], JSON]:
    """The first ``limit`` objects and how to go on."""
    meta: JSON = {"resourceVersion": str(revision)}
    if not limit or len(found) <= limit:
        return found, meta
    meta["continue"] = _write_token(revision, key_of(found[limit]))
    if selection.everything:
        meta["remainingItemCount"] = len(found) - limit
    return found[:limit], meta


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
