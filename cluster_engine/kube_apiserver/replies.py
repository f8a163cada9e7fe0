"""Replies: an object, a list or any value in the form for which the client asked.

Models k8s.io/apiserver/pkg/endpoints/handlers/response.go and responsewriters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cluster_engine.apimachinery import errors, table
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.sim import Clock

from .conversion import Conversions
from .encoding import ObjectBytes
from .negotiation import JSON_TYPE, Accept, encode, encode_list, negotiate, wants_pretty
from .requests import first
from .types import Deleted, Request, Response

NO_STORE = "no-cache, private"
_WARNINGS_LIMIT = 32


class Replies:
    """Makes the replies of one cluster."""

    def __init__(self, clock: Clock, cache: ObjectBytes, conversions: Conversions) -> None:
        self._clock = clock
        self._conversions = conversions
        self._cache = cache

    def show(
        self,
        request: Request,
        kind: Kind,
        obj: JSON,
        code: int,
        accept: Accept,
        warnings: Sequence[str] = (),
    ) -> Response:
        """A stored object in the form that the client asked for. Raises ApiError."""
        kind, (obj,) = self._conversions.seen(kind, [obj])
        if accept.form == "Table":
            value = self.table(
                request, kind, [obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")}, accept
            )
        elif accept.form:
            value = table.partial_metadata(obj, accept.api_version)
        elif (
            accept.media == JSON_TYPE
            and not wants_pretty(request, accept)
            and "resourceVersion" in obj["metadata"]
        ):
            headers = {"content-type": JSON_TYPE, "cache-control": NO_STORE}
            body = self._cache.whole(kind, obj) + b"\n"
            return Response(code, headers, body, warnings=tuple(warnings[:_WARNINGS_LIMIT]))
        else:
            value = kind.shown(obj)
        return self.reply(request, code, value, accept, warnings)

    def reply(
        self, request: Request, code: int, value: JSON, accept: Accept, warnings: Sequence[str] = ()
    ) -> Response:
        """Any JSON-shaped value as a reply."""
        content_type, body = encode(request, accept, value)
        headers = {"content-type": content_type, "cache-control": NO_STORE}
        return Response(code, headers, body, warnings=tuple(warnings[:_WARNINGS_LIMIT]))

    def deleted(self, request: Request, kind: Kind, deleted: Deleted) -> Response:
        """What the deletion of a collection answers: the objects as they were. Raises ApiError."""
        kind, objects = self._conversions.seen(kind, deleted.objects)
        value = {
            "kind": kind.list_kind,
            "apiVersion": kind.api_version,
            "metadata": deleted.meta,
            "items": list(items_of(kind, objects)),
        }
        response = self.reply(request, 200, value, negotiate(request), deleted.warnings)
        response.deleted = deleted
        return response

    def table(self, request: Request, kind: Kind, objects: list[JSON], meta: JSON, accept: Accept) -> JSON:
        return table.to_table(
            kind,
            objects,
            self._clock.now,
            include_object=included(request),
            list_meta=meta,
            api_version=accept.api_version,
        )

    def table_pieces(
        self, request: Request, kind: Kind, objects: list[JSON], meta: JSON, accept: Accept
    ) -> tuple[str, Iterator[bytes]]:
        """(content type, body in pieces) of a table of many."""
        head = table.to_table(kind, (), self._clock.now, list_meta=meta, api_version=accept.api_version)
        del head["rows"]
        rows = table.rows(kind, objects, self._clock.now, included(request), accept.api_version)
        return encode_list(request, accept, head, "rows", rows)

    def failure(self, request: Request, problem: ApiError) -> Response:
        """The Status of an error as a reply."""
        status = problem.status
        headers = {"cache-control": NO_STORE}
        retry = (status.get("details") or {}).get("retryAfterSeconds")
        if retry:
            headers["retry-after"] = str(retry)
        try:
            accept = negotiate(request)
        except ApiError:
            accept = Accept()
        headers["content-type"], body = encode(request, accept, status)
        return Response(problem.code, headers, body)


def items_of(kind: Kind, objects: Iterable[JSON]) -> Iterator[JSON]:
    """Stored objects as the items of a list."""
    shown = map(kind.shown, objects)
    return ({k: v for k, v in obj.items() if k not in ("kind", "apiVersion")} for obj in shown)


def included(request: Request) -> str:
    """What a table's rows hold of their objects. Raises ApiError 400."""
    include = first(request, "includeObject") or "Metadata"
    if include not in ("None", "Metadata", "Object"):
        problem = errors.invalid_value(
            "includeObject", include, "must be 'Metadata', 'Object', 'None', or empty"
        )
        raise errors.bad_request(f"Unable to convert to Table as requested: {problem}")
    return include
