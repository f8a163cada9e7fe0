"""What expressions of admission policies may name, and what they must give.

Models k8s.io/apiserver/pkg/admission/plugin/cel (compile.go, composition.go, condition.go) and pkg/apis/cel (limits).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from json import dumps
from typing import Any

from cluster_engine.cel.errors import CelCompileError, CelCostError, CelError
from cluster_engine.cel.library.authorizer import Authorizer, ResourceCheck
from cluster_engine.cel.program import Budget, Program, compile
from cluster_engine.cel.types import BOOL, DYN, INT, NULL, STRING, TIMESTAMP, Type, list_of, map_of, object_of

BUDGET = 10_000_000
"""What all expressions of one policy may cost for one request (RuntimeCELCostBudget)."""

MATCH_BUDGET = 2_500_000
"""What its matchConditions may cost (RuntimeCELCostBudgetMatchConditions)."""

MAX_MESSAGE = 5 * 1024
"""Bytes of what a messageExpression gives (MaxEvaluatedMessageExpressionSizeBytes)."""

OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"

_GVK = object_of("kubernetes.GroupVersionKind", {"group": STRING, "version": STRING, "kind": STRING})
_GVR = object_of("kubernetes.GroupVersionResource", {"group": STRING, "version": STRING, "resource": STRING})
_USER = object_of(
    "kubernetes.UserInfo",
    {
        "username": STRING,
        "uid": STRING,
        "groups": list_of(STRING),
        "extra": map_of(STRING, list_of(STRING)),
    },
)
REQUEST = object_of(
    "kubernetes.AdmissionRequest",
    {
        "kind": _GVK,
        "resource": _GVR,
        "subResource": STRING,
        "requestKind": _GVK,
        "requestResource": _GVR,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": _USER,
        "dryRun": BOOL,
        "options": DYN,
    },
)
"""The type of ``request``."""

_CONDITION = object_of(
    "kubernetes.NamespaceCondition",
    {
        "status": STRING,
        "type": STRING,
        "lastTransitionTime": TIMESTAMP,
        "message": STRING,
        "reason": STRING,
    },
)
_NAMESPACE_META = object_of(
    "kubernetes.NamespaceMetadata",
    {
        "name": STRING,
        "generateName": STRING,
        "namespace": STRING,
        "labels": map_of(STRING, STRING),
        "annotations": map_of(STRING, STRING),
        "UID": STRING,
        "creationTimestamp": TIMESTAMP,
        "deletionGracePeriodSeconds": INT,
        "deletionTimestamp": TIMESTAMP,
        "generation": INT,
        "resourceVersion": STRING,
        "finalizers": list_of(STRING),
    },
)
NAMESPACE = object_of(
    "kubernetes.Namespace",
    {
        "metadata": _NAMESPACE_META,
        "spec": object_of("kubernetes.NamespaceSpec", {"finalizers": list_of(STRING)}),
        "status": object_of(
            "kubernetes.NamespaceStatus", {"conditions": list_of(_CONDITION), "phase": STRING}
        ),
    },
)
"""The type of ``namespaceObject``."""

VARIABLES = "kubernetes.variables"
"""The name of the type of ``variables``."""

_GO_NAMES = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
}


class ExpressionError(Exception):
    """An expression that cannot be used where it stands; the text is what a field error says of it."""


def declared(
    *,
    params: bool,
    authorizer: bool,
    variables: Mapping[str, Type] | None = None,
    object_type: Type = DYN,
    params_type: Type = DYN,
) -> dict[str, Type]:
    """The variables of an expression of a policy."""
    found = {
        "object": object_type,
        "oldObject": object_type,
        "namespaceObject": NAMESPACE,
        "request": REQUEST,
    }
    if params:
        found["params"] = params_type
    if authorizer:
        found["authorizer"] = Type(Authorizer.type_name)
        found["authorizer.requestResource"] = Type(ResourceCheck.type_name)
    if variables is not None:
        found["variables"] = object_of(VARIABLES, variables)
    return found


def compile_expression(
    text: str,
    variables: Mapping[str, Type],
    returns: Sequence[Type] = (),
    objects: Mapping[str, Type] | None = None,
) -> Program:
    """The program of an expression. Raises ExpressionError when it does not compile, or gives something else."""
    try:
        program = compile(text, variables, objects)
    except CelCompileError as error:
        raise ExpressionError(f"compilation failed: {error}") from None
    if returns and program.result not in returns:
        got = _go_name(program.result)
        if len(returns) == 1:
            raise ExpressionError(f"must evaluate to {_go_name(returns[0])} but got {got}")
        raise ExpressionError(f"must evaluate to one of [{' '.join(map(_go_name, returns))}] but got {got}")
    return program


def _go_name(kind: Type) -> str:
    return _GO_NAMES.get(kind.name, str(kind))


CONDITION, MESSAGE, ANNOTATION = (BOOL,), (STRING,), (STRING, NULL)
"""What validations and conditions, message expressions, and audit annotations give."""


class Activation(dict[str, Any]):
    """Values of variables that are made when they are first asked for."""

    def __init__(self, values: Mapping[str, Any], made: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__(values)
        self._made = made

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._made[name]()
        return value


class Composition(Mapping[str, Any]):
    """The value of ``variables``: each expression is evaluated when it is first asked for, at most once."""

    def __init__(
        self, programs: Mapping[str, Program], activation: Mapping[str, Any], budget: Budget
    ) -> None:
        self._programs = programs
        self._activation = activation
        self._budget = budget
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            try:
                self._found[name] = self._programs[name].evaluate(self._activation, self._budget)
            except CelCostError:
                raise
            except CelError as error:
                self._found[name] = CelError(f"composited variable {dumps(name)} fails to evaluate: {error}")
        found = self._found[name]
        if isinstance(found, CelError):
            raise found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._programs)

    def __len__(self) -> int:
        return len(self._programs)


def evaluate(program: Program, activation: Mapping[str, Any], budget: Budget) -> Any:
    """The value of one expression of a policy. Raises CelError in upstream's words.

    Raises CelCostError when nothing of the budget is left, so that the others cannot be evaluated either.
    """
    try:
        return program.evaluate(activation, budget)
    except CelError as error:
        if budget.left < 0:
            raise CelCostError(OUT_OF_BUDGET) from None
        raise CelError(f"expression '{program.source}' resulted in error: {error}") from None
