"""What the expressions of a policy see: the objects, the request, its namespace, and who may do what.

Models k8s.io/apiserver/pkg/admission/plugin/cel/condition.go (CreateAdmissionRequest, CreateNamespaceObject).
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.cel.environment import Activation
from cluster_engine.cel.library.authorizer import Answer, Authorizer, Question, ResourceCheck
from cluster_engine.cel.times import read_timestamp

from ...authorization import Access, AuthorizerChain
from ...types import UserInfo
from ..plugin import CREATE, DELETE, Attributes
from .matching import Match

_OPTIONS = {CREATE: "CreateOptions", DELETE: "DeleteOptions"}
_NAMESPACE_META = (
    "name", "generateName", "namespace", "labels", "annotations", "deletionGracePeriodSeconds", "generation",
    "resourceVersion", "finalizers",
)  # fmt: skip


def activation(
    attributes: Attributes, matched: Match, params: JSON | None, authorizers: AuthorizerChain
) -> Activation:
    """The variables of a policy's expressions, but ``variables``."""
    authorizer = Authorizer(_asker(attributes.ctx.user, authorizers))

    def own() -> ResourceCheck:
        question = Question(
            "",
            group=attributes.kind.group,
            resource=attributes.kind.resource,
            subresource=attributes.subresource,
            namespace=_namespace(attributes),
            name=attributes.name,
        )
        return ResourceCheck(authorizer.ask, question)

    return Activation(
        {"object": matched.obj, "oldObject": matched.old, "params": params, "authorizer": authorizer},
        {
            "request": lambda: admission_request(attributes, matched),
            "namespaceObject": lambda: _namespace_object(attributes),
            "authorizer.requestResource": own,
        },
    )


def _namespace(attributes: Attributes) -> str:
    return attributes.name if attributes.resource == "namespaces" else attributes.namespace


def _asker(user: UserInfo, authorizers: AuthorizerChain) -> Any:
    def ask(question: Question) -> Answer:
        asker = user
        if question.account is not None:
            namespace, name = question.account
            groups = (
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            )
            asker = UserInfo(f"system:serviceaccount:{namespace}:{name}", groups=groups)
        asked = Access(
            asker,
            question.verb,
            question.group,
            question.resource,
            question.subresource,
            question.namespace,
            question.name,
            question.path,
            question.field_selector,
        )
        decision = authorizers.decide(asked)
        return Answer(decision.allowed, decision.reason)

    return ask


def admission_request(attributes: Attributes, matched: Match) -> JSON:
    """The write as an AdmissionReview asks about it, but its uid and the objects."""
    api_version, kind = matched.obj_kind
    group, _, version = api_version.rpartition("/")
    form = matched.form
    sent = attributes.kind.in_version(attributes.ctx.api_version) or attributes.kind
    resource = {"group": form.group, "version": form.version, "resource": form.resource}
    user = attributes.ctx.user
    return {
        "kind": {"group": group, "version": version, "kind": kind},
        "resource": resource,
        "subResource": attributes.subresource,
        "requestKind": {
            "group": group,
            "version": version if group != sent.group else sent.version,
            "kind": kind,
        },
        "requestResource": {**resource, "version": sent.version},
        "requestSubResource": attributes.subresource,
        "name": attributes.name,
        "namespace": _namespace(attributes),
        "operation": attributes.operation,
        "userInfo": {
            "username": user.username,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": {name: list(values) for name, values in user.extra.items()},
        },
        "dryRun": attributes.ctx.dry_run,
        "options": {
            "apiVersion": "meta.k8s.io/v1",
            "kind": _OPTIONS.get(attributes.operation, "UpdateOptions"),
            **({"fieldManager": attributes.ctx.manager} if attributes.operation != DELETE else {}),
            **({"dryRun": ["All"]} if attributes.ctx.dry_run else {}),
        },
    }


def _namespace_object(attributes: Attributes) -> JSON | None:
    if attributes.resource == "namespaces" or not attributes.namespace:
        return None
    found = attributes.store.get("namespaces", attributes.namespace)
    if found is None:
        return None
    meta = found["metadata"]
    shown: JSON = {name: meta[name] for name in _NAMESPACE_META if name in meta}
    shown["UID"] = meta.get("uid", "")
    for name in ("creationTimestamp", "deletionTimestamp"):
        if meta.get(name):
            shown[name] = read_timestamp(meta[name])
    conditions = [
        {**condition, "lastTransitionTime": read_timestamp(condition.get("lastTransitionTime") or "")}
        for condition in (found.get("status") or {}).get("conditions") or ()
    ]
    status = {**(found.get("status") or {}), "conditions": conditions}
    return {"metadata": shown, "spec": found.get("spec") or {}, "status": status}
