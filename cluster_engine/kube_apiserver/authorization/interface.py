"""What an authorizer is asked and what it answers.

Models k8s.io/apiserver/pkg/authorization/authorizer (Attributes, Decision, RuleResolver).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from cluster_engine.apimachinery import fields
from cluster_engine.apimachinery.cow import JSON

from ..requests import RequestInfo, first
from ..types import Request, UserInfo

_SELECTING = ("list", "watch", "deletecollection")


@dataclass(frozen=True, slots=True)
class Access:
    """May this user do this? Either to a resource, or (``resource`` is empty) to a path."""

    user: UserInfo
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""

    @classmethod
    def of(cls, user: UserInfo, info: RequestInfo, request: Request) -> Access:
        """What a request over HTTP asks. A selector of one name names the object, as upstream."""
        if not info.is_resource:
            return cls(user, info.verb, path=info.path)
        selector = (first(request, "fieldSelector") or "") if info.verb in _SELECTING else ""
        return cls(
            user,
            info.verb,
            info.group,
            info.resource,
            info.subresource,
            info.namespace,
            info.name or _exact(selector, "metadata.name"),
            field_selector=selector,
        )

    @property
    def whole_resource(self) -> str:
        """The resource as rules name it: "pods", "pods/log"."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    def selects(self, field: str) -> str:
        """The value that the field selector demands of a field, or ""."""
        return _exact(self.field_selector, field)


def _exact(selector: str, field: str) -> str:
    if not selector:
        return ""
    try:
        return fields.parse_field_selector(selector).exact(field) or ""
    except fields.FieldSelectorError:
        return ""  # refused later, by whoever reads it


class Decision(NamedTuple):
    """``reason`` is told to whoever is refused."""

    verdict: Literal["allow", "deny", "no opinion"]
    reason: str = ""
    everywhere: bool = False
    """Of an allow: it holds for every namespace, name and selector, so the client may remember it."""

    @property
    def allowed(self) -> bool:
        return self.verdict == "allow"


ALLOW = Decision("allow", everywhere=True)
NO_OPINION = Decision("no opinion")


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources of groups; "*" stands for all, "*/scale" for a subresource of all. Of these names, if any."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...] = ()

    def as_dict(self) -> JSON:
        """As SelfSubjectRulesReview shows it."""
        shown = {"verbs": list(self.verbs), "apiGroups": list(self.groups), "resources": list(self.resources)}
        return {**shown, "resourceNames": list(self.names)} if self.names else shown

    def allows(self, asked: Access) -> bool:
        """Whether the request is one of these."""
        if asked.verb not in self.verbs and "*" not in self.verbs:
            return False
        if asked.group not in self.groups and "*" not in self.groups:
            return False
        if self.names and asked.name not in self.names:
            return False
        wanted = asked.whole_resource
        if wanted in self.resources or "*" in self.resources:
            return True
        return bool(asked.subresource) and f"*/{asked.subresource}" in self.resources


@dataclass(frozen=True, slots=True)
class PathRule:
    """Verbs on paths that are no resources; a "*" at the end stands for whatever follows."""

    verbs: tuple[str, ...]
    paths: tuple[str, ...]

    def as_dict(self) -> JSON:
        """As SelfSubjectRulesReview shows it."""
        return {"verbs": list(self.verbs), "nonResourceURLs": list(self.paths)}

    def allows(self, asked: Access) -> bool:
        """Whether the request is one of these."""
        if asked.verb not in self.verbs and "*" not in self.verbs:
            return False
        return any(
            pattern in ("*", asked.path) or (pattern.endswith("*") and asked.path.startswith(pattern[:-1]))
            for pattern in self.paths
        )


class Rules(NamedTuple):
    """What a user may do, as far as an authorizer can list it; ``problem`` says why not all of it."""

    resources: tuple[Rule, ...] = ()
    paths: tuple[PathRule, ...] = ()
    problem: str = ""


class Authorizer(Protocol):
    """One link of the chain."""

    def decide(self, asked: Access) -> Decision: ...

    def rules(self, user: UserInfo, namespace: str) -> Rules: ...
