"""Lists: whole, of an older moment, in chunks that fit together, or as Tables.

All chunks of a list show the revision of the first one: the store can be read at any revision that is not
compacted. A token for one that is gets a 410 with a token to go on inconsistently.

Models k8s.io/apiserver/pkg/storage/etcd3 (GetList, continue tokens, errors).
"""

from __future__ import annotations

import base64
import posixpath
import string
from bisect import bisect_left

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.etcd import Compacted

from .negotiation import go_name
from .options import ListOptions
from .selection import Readable, Selection

_TOKEN_LIMIT = 4_096
_TOKEN_VERSION = "meta.k8s.io/v1"
_ALPHABET = frozenset(string.ascii_letters + string.digits + "-_")
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
    """(objects, ListMeta). Raises ApiError 400, 410, 504."""
    wanted, current = options.resource_version or 0, store.revision
    if wanted > current:
        # Upstream waits three seconds for it first.
        raise errors.too_large_resource_version(wanted, current)
    if not options.continue_token:
        # Without a match, a version and a limit together mean that very version (the legacy form of Exact).
        exact = wanted and (options.match == "Exact" or (not options.match and options.limit))
        try:
            found = selection.list(store, wanted if exact else None)
        except Compacted as problem:
            raise errors.expired(_TOO_OLD) from problem
        return _cut(selection, options.limit, found, wanted if exact else current)
    if wanted:
        raise errors.bad_request("specifying resource version is not allowed when using continue")
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
    # Right behind the last one: what comes between it and the next is in a list that goes on inconsistently.
    meta["continue"] = _write_token(revision, key_of(found[limit - 1]) + "\0")
    if selection.everything:
        meta["remainingItemCount"] = len(found) - limit
    return found[:limit], meta


def _write_token(revision: int, start: str) -> str:
    data = orjson.dumps({"v": _TOKEN_VERSION, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _read_token(token: str) -> tuple[int, str]:
    """(revision, key from which to go on) of a token. Raises ApiError 400.

    # Models k8s.io/apiserver/pkg/storage/continue.go (DecodeContinue)
    """
    data = _unpacked(token)
    if not isinstance(data, dict):
        raise _invalid(
            f": json: cannot unmarshal {go_name(data)} into Go value of type storage.continueToken"
        )
    version, revision, start = data.get("v", ""), data.get("rv", 0), data.get("start", "")
    for name, value, kind, go_type in (
        ("v", version, str, "string"),
        ("rv", revision, int, "int64"),
        ("start", start, str, "string"),
    ):
        if type(value) is not kind:
            field = f"Go struct field continueToken.{name} of type {go_type}"
            raise _invalid(f": json: cannot unmarshal {go_name(value)} into {field}")
    if version != _TOKEN_VERSION:
        raise _invalid(f": server does not recognize this encoded version {version}")
    if revision == 0:
        raise _invalid(f": incorrect encoded start resourceVersion (version {_TOKEN_VERSION})")
    if not start:
        raise _invalid(f": encoded start key empty (version {_TOKEN_VERSION})")
    key = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(key) != key or key.startswith("//"):
        raise _invalid(f": {start}")
    return revision, key[1:]


def _unpacked(token: str) -> object:
    if len(token) > _TOKEN_LIMIT:
        raise _invalid("")
    wrong = next((place for place, char in enumerate(token) if char not in _ALPHABET), None)
    if wrong is None and len(token) % 4 == 1:
        wrong = len(token) - 1
    if wrong is not None:
        raise _invalid(f": illegal base64 data at input byte {wrong}")
    try:
        return orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError as problem:
        raise _invalid(f": {problem}") from problem


def _invalid(why: str) -> errors.ApiError:
    return errors.bad_request(f"invalid continue token: continue key is not valid{why}")
