"""Questions that are asked by creating an object which is never stored: who am I, may I?

Models pkg/registry/authentication and pkg/registry/authorization.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from . import authorization
from .authentication import ISSUER, Authenticator
from .types import UserInfo

Ask = Callable[[Authenticator, UserInfo, JSON, str], JSON]


@dataclass(frozen=True, slots=True)
class Review:
    """A create-only kind."""

    group: str
    kind: str
    resource: str
    singular: str
    namespaced: bool
    ask: Ask
    version: str = "v1"

    @property
    def api_version(self) -> str:
        """As objects carry it."""
        return f"{self.group}/{self.version}"


def _token_review(authenticator: Authenticator, user: UserInfo, obj: JSON, namespace: str) -> JSON:
    spec = obj.get("spec") or {}
    token = spec.get("token") or ""
    if not token:
        problem = errors.required("spec.token", "token is required for TokenReview in authentication")
        raise errors.invalid("authentication.k8s.io", "TokenReview", "", [problem])
    audiences = tuple(spec.get("audiences") or ())
    found = authenticator.token_user(token, audiences)
    if found is None:
        return {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
    return {"authenticated": True, "user": found.as_dict(), "audiences": list(audiences or (ISSUER,))}


def _self_subject_review(authenticator: Authenticator, user: UserInfo, obj: JSON, namespace: str) -> JSON:
    return {"userInfo": user.as_dict()}


def _access(user: UserInfo, spec: JSON) -> JSON:
    attributes = spec.get("resourceAttributes")
    paths = spec.get("nonResourceAttributes")
    if (attributes is None) == (paths is None):
        problem = errors.invalid_value(
            "spec.resourceAttributes",
            attributes,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            if attributes is None
            else "cannot be specified in combination with nonResourceAttributes",
        )
        raise errors.invalid("authorization.k8s.io", "SelfSubjectAccessReview", "", [problem])
    if attributes is not None:
        resource = attributes.get("resource", "")
        if attributes.get("subresource"):
            resource = f"{resource}/{attributes['subresource']}"
        allowed = authorization.allowed(
            user, attributes.get("verb", ""), attributes.get("group", ""), resource
        )
    else:
        assert paths is not None
        allowed = authorization.allowed_path(user, paths.get("verb", ""), paths.get("path", ""))
    return {"allowed": allowed}


def _self_access(authenticator: Authenticator, user: UserInfo, obj: JSON, namespace: str) -> JSON:
    return _access(user, obj.get("spec") or {})


def _subject_access(authenticator: Authenticator, user: UserInfo, obj: JSON, namespace: str) -> JSON:
    spec = obj.get("spec") or {}
    if not spec.get("user") and not spec.get("groups"):
        problem = errors.invalid_value("spec.user", "", "at least one of user or group must be specified")
        raise errors.invalid("authorization.k8s.io", "SubjectAccessReview", "", [problem])
    subject = UserInfo(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()))
    return _access(subject, spec)


def _self_rules(authenticator: Authenticator, user: UserInfo, obj: JSON, namespace: str) -> JSON:
    if not (obj.get("spec") or {}).get("namespace"):
        raise errors.bad_request("no namespace on request")
    rules, paths = authorization.rules_for(user)
    return {
        "resourceRules": [rule.as_dict() for rule in rules],
        "nonResourceRules": [rule.as_dict() for rule in paths],
        "incomplete": False,
    }


REVIEWS: tuple[Review, ...] = (
    Review(
        "authentication.k8s.io",
        "SelfSubjectReview",
        "selfsubjectreviews",
        "selfsubjectreview",
        False,
        _self_subject_review,
    ),
    Review("authentication.k8s.io", "TokenReview", "tokenreviews", "tokenreview", False, _token_review),
    Review(
        "authorization.k8s.io",
        "LocalSubjectAccessReview",
        "localsubjectaccessreviews",
        "localsubjectaccessreview",
        True,
        _subject_access,
    ),
    Review(
        "authorization.k8s.io",
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
        "selfsubjectaccessreview",
        False,
        _self_access,
    ),
    Review(
        "authorization.k8s.io",
        "SelfSubjectRulesReview",
        "selfsubjectrulesreviews",
        "selfsubjectrulesreview",
        False,
        _self_rules,
    ),
    Review(
        "authorization.k8s.io",
        "SubjectAccessReview",
        "subjectaccessreviews",
        "subjectaccessreview",
        False,
        _subject_access,
    ),
)


def answer(
    review: Review, authenticator: Authenticator, user: UserInfo, obj: JSON, namespace: str, now: str
) -> JSON:
    """The review with its status filled in."""
    status = review.ask(authenticator, user, obj, namespace)
    meta = {
        **(obj.get("metadata") or {}),
        "creationTimestamp": now if review.kind == "SelfSubjectReview" else None,
    }
    reply: JSON = {"kind": review.kind, "apiVersion": review.api_version, "metadata": meta}
    if "spec" in obj:
        reply["spec"] = obj["spec"]
    elif review.kind != "SelfSubjectReview":
        reply["spec"] = {}
    reply["status"] = status
    return reply
