"""Questions that are asked by creating an object which is never stored: who am I, may I?

Models pkg/registry/authentication and pkg/registry/authorization.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind

from .authentication import ISSUER, Authenticator
from .authorization import Access, AuthorizerChain
from .types import UserInfo


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks what, and who knows."""

    authenticator: Authenticator
    authorizer: AuthorizerChain
    user: UserInfo
    kind: Kind


Ask = Callable[[Asked, JSON], JSON]
"""The status that answers an object."""


def _token_review(asked: Asked, obj: JSON) -> JSON:
    spec = obj.get("spec") or {}
    token = spec.get("token") or ""
    if not token:
        problem = errors.required("spec.token", "token is required for TokenReview in authentication")
        raise errors.invalid(asked.kind.group, asked.kind.kind, "", [problem])
    audiences = tuple(spec.get("audiences") or ())
    found = asked.authenticator.token_user(token, audiences)
    if found is None:
        return {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
    return {"authenticated": True, "user": found.as_dict(), "audiences": list(audiences or (ISSUER,))}


def _self_subject_review(asked: Asked, obj: JSON) -> JSON:
    return {"userInfo": asked.user.as_dict()}


def _access(asked: Asked, user: UserInfo, spec: JSON) -> JSON:
    wanted = spec.get("resourceAttributes")
    path = spec.get("nonResourceAttributes")
    if (wanted is None) == (path is None):
        problem = errors.invalid_value(
            "spec.resourceAttributes",
            wanted,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            if wanted is None
            else "cannot be specified in combination with nonResourceAttributes",
        )
        raise errors.invalid(asked.kind.group, asked.kind.kind, "", [problem])
    if wanted is not None:
        access = Access(
            user,
            wanted.get("verb") or "",
            wanted.get("group") or "",
            wanted.get("resource") or "",
            wanted.get("subresource") or "",
            wanted.get("namespace") or "",
            wanted.get("name") or "",
            field_selector=(wanted.get("fieldSelector") or {}).get("rawSelector") or "",
        )
    else:
        assert path is not None
        access = Access(user, path.get("verb") or "", path=path.get("path") or "")
    decision = asked.authorizer.decide(access)
    status: JSON = {"allowed": decision.allowed}
    if decision.verdict == "deny":
        status["denied"] = True
    if decision.reason:
        status["reason"] = decision.reason
    return status


def _self_access(asked: Asked, obj: JSON) -> JSON:
    return _access(asked, asked.user, obj.get("spec") or {})


def _subject_access(asked: Asked, obj: JSON) -> JSON:
    spec = obj.get("spec") or {}
    if not spec.get("user") and not spec.get("groups"):
        problem = errors.invalid_value("spec.user", "", "at least one of user or group must be specified")
        raise errors.invalid(asked.kind.group, asked.kind.kind, "", [problem])
    subject = UserInfo(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()))
    return _access(asked, subject, spec)


def _self_rules(asked: Asked, obj: JSON) -> JSON:
    namespace = (obj.get("spec") or {}).get("namespace")
    if not namespace:
        raise errors.bad_request("no namespace on request")
    rules = asked.authorizer.rules(asked.user, namespace)
    status: JSON = {
        "resourceRules": [rule.as_dict() for rule in rules.resources],
        "nonResourceRules": [rule.as_dict() for rule in rules.paths],
        "incomplete": bool(rules.problem),
    }
    return {**status, "evaluationError": rules.problem} if rules.problem else status


ANSWERS: dict[str, Ask] = {
    "rules": _self_rules,
    "self": _self_subject_review,
    "self-access": _self_access,
    "subject-access": _subject_access,
    "token": _token_review,
}
"""What answers a review: the name that stands in its kind's file."""


def answer(asked: Asked, obj: JSON, now: str) -> JSON:
    """The review with its status filled in."""
    kind = asked.kind
    status = ANSWERS[kind.answer](asked, obj)
    meta = {
        **(obj.get("metadata") or {}),
        "creationTimestamp": now if kind.answer == "self" else None,
    }
    reply: JSON = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}
    if "spec" in obj:
        reply["spec"] = obj["spec"]
    elif kind.answer != "self":
        reply["spec"] = {}
    reply["status"] = status
    return reply
