"""May somebody do something: ``authorizer.group('apps').resource('deployments').check('create').allowed()``.

Who decides is injected: the ``Authorizer`` that is given as a variable asks a function.

Models k8s.io/apiserver/pkg/cel/library/authz.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cluster_engine.apimachinery import validation
from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.function import Function, Overload
from cluster_engine.cel.values import Opaque

CHECK_COST = 350_000
"""Cost of one question: an evaluation may ask twice."""


class Question(NamedTuple):
    """What is asked of a resource or (``path``) a URL; ``account``: (namespace, name), when not of the requester."""

    verb: str
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    account: tuple[str, str] | None = None


class Answer(NamedTuple):
    """Whether it is allowed, why, and what failed."""

    allowed: bool
    reason: str = ""
    error: str = ""


Ask = Callable[[Question], Answer]


class Authorizer(Opaque):
    """The value of ``authorizer``."""

    type_name = "kubernetes.authorization.Authorizer"
    __slots__ = ("account", "ask")

    def __init__(self, ask: Ask, account: tuple[str, str] | None = None) -> None:
        self.ask = ask
        self.account = account


class _Check(Opaque):
    __slots__ = ("ask", "question")

    def __init__(self, ask: Ask, question: Question) -> None:
        self.ask = ask
        self.question = question

    def changed(self, **parts: str) -> _Check:
        return type(self)(self.ask, self.question._replace(**parts))  # type: ignore[arg-type]


class PathCheck(_Check):
    """A question about a URL."""

    type_name = "kubernetes.authorization.PathCheck"
    __slots__ = ()


class GroupCheck(_Check):
    """A question about a group, which still needs its resource."""

    type_name = "kubernetes.authorization.GroupCheck"
    __slots__ = ()


class ResourceCheck(_Check):
    """A question about a resource."""

    type_name = "kubernetes.authorization.ResourceCheck"
    __slots__ = ()


class Decision(Opaque):
    """The answer to a question."""

    type_name = "kubernetes.authorization.Decision"
    __slots__ = ("answer",)

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def _path(authorizer: Authorizer, path: str) -> PathCheck:
    if not path.strip():
        raise CelError("path must not be empty")
    return PathCheck(authorizer.ask, Question("", path=path, account=authorizer.account))


def _group(authorizer: Authorizer, group: str) -> GroupCheck:
    return GroupCheck(authorizer.ask, Question("", group=group, account=authorizer.account))


def _account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    if validation.is_dns1123_subdomain(name):
        raise CelError("Invalid service account name")
    if validation.is_dns1123_label(namespace):
        raise CelError("Invalid service account namespace")
    return Authorizer(authorizer.ask, (namespace, name))


def _resource(check: GroupCheck, resource: str) -> ResourceCheck:
    if not resource.strip():
        raise CelError("resource must not be empty")
    return ResourceCheck(check.ask, check.question._replace(resource=resource))


def _part(name: str) -> Callable[[_Check, str], _Check]:
    return lambda check, value: check.changed(**{name: value})


def _check(check: _Check, verb: str) -> Decision:
    return Decision(check.ask(check.question._replace(verb=verb)))


_A, _P, _G, _R, _D = (kind.type_name for kind in (Authorizer, PathCheck, GroupCheck, ResourceCheck, Decision))

FUNCTIONS = (
    Function("path", Overload("authorizer_path", f"{_A}.(string) -> {_P}", _path)),
    Function("group", Overload("authorizer_group", f"{_A}.(string) -> {_G}", _group)),
    Function(
        "serviceAccount", Overload("authorizer_serviceaccount", f"{_A}.(string, string) -> {_A}", _account)
    ),
    Function("resource", Overload("groupcheck_resource", f"{_G}.(string) -> {_R}", _resource)),
    Function(
        "subresource", Overload("resourcecheck_subresource", f"{_R}.(string) -> {_R}", _part("subresource"))
    ),
    Function("namespace", Overload("resourcecheck_namespace", f"{_R}.(string) -> {_R}", _part("namespace"))),
    Function("name", Overload("resourcecheck_name", f"{_R}.(string) -> {_R}", _part("name"))),
    Function(
        "fieldSelector",
        Overload("authorizer_fieldselector", f"{_R}.(string) -> {_R}", _part("field_selector")),
    ),
    Function(
        "labelSelector",
        Overload("authorizer_labelselector", f"{_R}.(string) -> {_R}", _part("label_selector")),
    ),
    Function(
        "check",
        Overload("pathcheck_check", f"{_P}.(string) -> {_D}", _check, CHECK_COST),
        Overload("resourcecheck_check", f"{_R}.(string) -> {_D}", _check, CHECK_COST),
    ),
    Function(
        "allowed", Overload("decision_allowed", f"{_D}.() -> bool", lambda decision: decision.answer.allowed)
    ),
    Function(
        "reason", Overload("decision_reason", f"{_D}.() -> string", lambda decision: decision.answer.reason)
    ),
    Function(
        "errored",
        Overload("decision_errored", f"{_D}.() -> bool", lambda decision: bool(decision.answer.error)),
    ),
    Function(
        "error", Overload("decision_error", f"{_D}.() -> string", lambda decision: decision.answer.error)
    ),
)
"""One entry for each function."""
