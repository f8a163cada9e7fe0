"""The deletion of a collection in portions: the host's other clusters have their turn in between.

Each portion is a request of its own with `limit` and `continue`, as upstream's registry pages through what it deletes
(k8s.io/apiserver/pkg/registry/generic/registry/store.go, DeleteCollection).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kube_apiserver import APIServer, Deleted, Request, Response
from cluster_engine.kube_apiserver.flow_control import LEVEL_HEADER, SCHEMA_HEADER
from cluster_engine.kube_apiserver.options import integer
from cluster_engine.kube_apiserver.requests import first, parse
from cluster_engine.kube_apiserver.trail import AUDIT_ID

PORTION = 50
"""Objects that are deleted in one step of the loop."""
_PAGING = ("limit", "continue")
_REST = ("continue", "remainingItemCount")


def is_collection(request: Request) -> bool:
    """Whether the request deletes a collection, and more of it than one portion."""
    if parse(request).verb != "deletecollection":
        return False
    try:
        return not 0 < _limit(request) <= PORTION
    except ApiError:
        return False  # refused as it is


@dataclass(slots=True)
class Portions:
    """What of a collection's deletion is done, and what comes next."""

    server: APIServer
    request: Request
    token: str = ""
    objects: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    audit_id: str = ""

    def next(self) -> Request:
        """The request for the next portion."""
        kept = [pair for pair in self.request.query if pair[0] not in _PAGING]
        token = self.token or first(self.request, "continue") or ""
        paging = [("limit", str(min(PORTION, self._left)))] + ([("continue", token)] if token else [])
        headers = {**self.request.headers, "accept": "application/json"}
        if self.audit_id:
            headers[AUDIT_ID] = self.audit_id
        return replace(self.request, query=kept + paging, headers=headers)

    @property
    def _left(self) -> int:
        limit = _limit(self.request)
        return limit - len(self.objects) if limit else PORTION

    def take(self, reply: Response) -> Response | None:
        """The answer to all of it, when this was the answer to the last portion. All go by the id of the first, and
        tell by which flow they were let in.
        """
        self.audit_id = reply.headers[AUDIT_ID]
        flow = {name: reply.headers[name] for name in (SCHEMA_HEADER, LEVEL_HEADER) if name in reply.headers}
        answer = self._refused(reply) if reply.deleted is None else self._went_on(reply.deleted)
        if answer is not None:
            answer.headers[AUDIT_ID] = self.audit_id
            answer.headers |= flow
        return answer

    def _went_on(self, deleted: Deleted) -> Response | None:
        self.objects += deleted.objects
        self.warnings |= dict.fromkeys(deleted.warnings)
        rest = {name: deleted.meta[name] for name in _REST if name in deleted.meta}
        self.meta = {"resourceVersion": (self.meta or deleted.meta)["resourceVersion"]}
        self.token = rest.get("continue", "")
        if self.token and self._left > 0:
            return None
        return self.server.deleted(
            self.request, Deleted(self.objects, {**self.meta, **rest}, tuple(self.warnings))
        )

    def _refused(self, reply: Response) -> Response | None:
        status = orjson.loads(reply.body)
        fresh = (status.get("metadata") or {}).get("continue", "") if reply.status == 410 else ""
        if self.token and fresh:
            # So much was deleted that the moment of the first portion is not kept any more: nobody else writes
            # meanwhile, so that what is left is the same.
            self.token = fresh
            return None
        return self.server.failure(self.request, ApiError(status))


def _limit(request: Request) -> int:
    """How many objects the request deletes at most; 0: all. Raises ApiError."""
    return max(0, integer("limit", first(request, "limit") or "0"))
