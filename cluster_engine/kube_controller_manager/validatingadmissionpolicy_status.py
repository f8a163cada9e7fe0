"""Checks the expressions of policies against the types of what they match, and says so in their status.

Models pkg/controller/validatingadmissionpolicystatus and
k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind, Scheme
from cluster_engine.cel import environment
from cluster_engine.cel.declarations import of_structure
from cluster_engine.cel.environment import ExpressionError
from cluster_engine.cel.program import Program
from cluster_engine.cel.types import DYN, Type
from cluster_engine.component import Context, Controller

MAX_TYPES = 10
"""Kinds against which the expressions of one policy are checked."""

_POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"


class ValidatingAdmissionPolicyStatusController(Controller):
    """Writes status.typeChecking once for each generation."""

    name = "validatingadmissionpolicy-status-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.policies = ctx.informers.of(_POLICIES)
        self.policies.on(
            add=lambda new: self.queue.add(new["metadata"]["name"]),
            update=lambda change: self.queue.add(change.new["metadata"]["name"]),
        )

    def reconcile(self, key: str) -> None:
        policy = self.policies.get(key)
        if policy is None:
            return
        generation = policy["metadata"].get("generation", 0)
        if (policy.get("status") or {}).get("observedGeneration") == generation:
            return
        warnings = type_warnings(self.ctx.scheme, policy["spec"])
        checking: JSON = {"expressionWarnings": warnings or None}  # those of an earlier generation go
        status: JSON = {"observedGeneration": generation, "typeChecking": checking}
        self.client.patch(_POLICIES, key, None, {"status": status}, type="merge", subresource="status")


def type_warnings(scheme: Scheme, spec: JSON) -> list[JSON]:
    """The expressions of a policy that do not fit a kind that it matches, as ExpressionWarnings."""
    kinds = _kinds(scheme, spec)
    found: list[JSON] = []
    for at, rule in enumerate(spec.get("validations") or ()):
        for name in ("expression", "messageExpression"):
            texts = [_warning(scheme, spec, kind, rule[name]) for kind in kinds if rule.get(name)]
            if any(texts):
                warning = "\n".join(text for text in texts if text)
                found.append({"fieldRef": f"spec.validations[{at}].{name}", "warning": warning})
    return found


def _kinds(scheme: Scheme, spec: JSON) -> list[Kind]:
    """The kinds that the policy's rules name without wildcards, in order."""
    found: list[Kind] = []
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions = rule.get("apiGroups") or (), rule.get("apiVersions") or ()
        if any("*" in text for text in (*groups, *versions)):
            continue
        for group in sorted(groups):
            for version in sorted(versions):
                for resource in sorted(r for r in rule.get("resources") or () if not set(r) & {"*", "/"}):
                    kind = scheme.served(group, version, resource)
                    if kind is not None and kind not in found and len(found) < MAX_TYPES:
                        found.append(kind)
    return sorted(found, key=lambda kind: (kind.group, kind.version, kind.kind))


def _type(kind: Kind | None) -> Type:
    if kind is None or kind.structure is None:
        return DYN
    return of_structure(kind.structure, kind.kind)


def _warning(scheme: Scheme, spec: JSON, kind: Kind, text: str) -> str:
    """What is wrong with an expression on objects of the kind, with the kind before it; or nothing."""
    wanted = spec.get("paramKind")
    params = None
    if wanted:
        params = scheme.of_object(wanted.get("apiVersion") or "", wanted.get("kind") or "")
    object_type, params_type = _type(kind), _type(params)
    programs: dict[str, Program] = {}

    def program(expression: str) -> Program:
        types = {name: made.result for name, made in programs.items()}
        known = environment.declared(
            params=params is not None,  # of a kind that nobody serves there is no variable, as upstream
            authorizer=True,
            variables=types,
            object_type=object_type,
            params_type=params_type,
        )
        return environment.compile_expression(expression, known)

    for variable in spec.get("variables") or ():
        try:
            programs[variable["name"]] = program(variable.get("expression", ""))
        except ExpressionError:
            continue
    try:
        program(text)
    except ExpressionError as error:
        shown = f"{kind.api_version}, Kind={kind.kind}"
        return f"{shown}: {str(error).removeprefix('compilation failed: ')}\n"
    return ""
