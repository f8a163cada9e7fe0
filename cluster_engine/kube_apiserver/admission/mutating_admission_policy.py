"""MutatingAdmissionPolicy: what the cluster's own policies change.

Models k8s.io/apiserver/pkg/admission/plugin/policy/mutating (dispatcher.go, patch/) and generic/policy_dispatcher.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cluster_engine.apimachinery import decode, errors, patch, typed
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.schema import LIST, Node, Struct
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.cel import environment, patches
from cluster_engine.cel.environment import ExpressionError
from cluster_engine.cel.errors import CelError
from cluster_engine.cel.program import Budget, Program
from cluster_engine.cel.values import to_json

from .plugin import CREATE, UPDATE, Attributes, Plugin
from .policies import matching, params
from .policies.activation import activation
from .policies.compiled import Expression, applies, conditions_of, evaluated, variables_of, with_variables
from .policies.params import ParamsError

_POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
_BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"


class Compiled(NamedTuple):
    """The expressions of a policy. ``mutations`` are (patchType, expression, what is wrong with its names)."""

    conditions: tuple[Expression, ...]
    variables: dict[str, Program]
    mutations: tuple[tuple[str, Expression, str], ...]


class Invocation(NamedTuple):
    """A policy by a binding with a param."""

    who: str
    spec: JSON
    param: JSON | None


class PolicyError(Exception):
    """A policy that could not be carried out; ``who`` says which."""

    def __init__(self, who: str, message: str, fails: bool) -> None:
        super().__init__(f"{who} denied request: {message}")
        self.fails = fails


class MutatingAdmissionPolicy(Plugin):
    """Lets every bound policy change the object, in the order of their names."""

    name = "MutatingAdmissionPolicy"
    operations = (CREATE, UPDATE)
    mutates = True
    needs = _BINDINGS

    def concerns(self, resource: str, operation: str, subresource: str) -> bool:
        return resource not in matching.EXEMPT and super().concerns(resource, operation, subresource)

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        problems: list[PolicyError] = []
        again: list[Invocation] = []
        for invocation in self._invocations(attributes, problems):
            changed = self._invoked(attributes, invocation, problems)
            if changed and again:
                for earlier in again:
                    self._invoked(attributes, earlier, problems)
                again = []
            if invocation.spec.get("reinvocationPolicy") == "IfNeeded":
                again.append(invocation)
        refused = [problem for problem in problems if problem.fails]
        if refused:
            raise _refusal(attributes, refused)
        assert attributes.obj is not None
        return attributes.obj

    def _invocations(self, attributes: Attributes, problems: list[PolicyError]) -> Iterator[Invocation]:
        """Those that match, worked out before any of them changes anything."""
        found: list[Invocation] = []
        for binding in attributes.store.range(_BINDINGS):
            policy = attributes.store.get(_POLICIES, binding["spec"].get("policyName", ""))
            if policy is None or matching.match(attributes, policy["spec"].get("matchConstraints")) is None:
                continue
            spec, name = policy["spec"], policy["metadata"]["name"]
            if attributes.rounds.second and spec.get("reinvocationPolicy") != "IfNeeded":
                continue
            fails = spec.get("failurePolicy") != "Ignore"
            who = f"policy '{name}' with binding '{binding['metadata']['name']}'"
            try:
                kind = params.param_kind(self.host.scheme, spec)
            except ParamsError as error:
                problems.append(
                    PolicyError(f'policy "{name}"', f"failed to configure policy: {error}", fails)
                )
                continue
            if matching.match(attributes, binding["spec"].get("matchResources")) is None:
                continue
            try:
                ref = binding["spec"].get("paramRef")
                for param in params.collect(attributes, kind, ref):
                    found.append(Invocation(who, spec, param))
            except ParamsError as error:
                problems.append(PolicyError(who, f"failed to configure binding: {error}", fails))
        return iter(sorted(found, key=lambda invocation: invocation.who))

    def _invoked(self, attributes: Attributes, invocation: Invocation, problems: list[PolicyError]) -> bool:
        """Whether the policy changed the object, which stands in ``attributes`` then."""
        spec, before = invocation.spec, attributes.obj
        policy = _compiled(spec)
        fails = spec.get("failurePolicy") != "Ignore"
        matched = matching.match(attributes, spec.get("matchConstraints"))
        if matched is None:
            return False
        values = activation(attributes, matched, invocation.param, self.host.authorizer)
        try:
            if not applies(policy.conditions, values):
                return False
        except CelError as error:
            problems.append(PolicyError(invocation.who, str(error), fails))
            return False
        for kind, expression, misnamed in policy.mutations:
            seen = matching.match(attributes, spec.get("matchConstraints")) or matched
            budget = Budget(environment.BUDGET)
            values = activation(attributes, seen, invocation.param, self.host.authorizer)
            with_variables(values, policy.variables, budget)
            try:
                made = to_json(evaluated(expression, values, budget))
                if misnamed:
                    raise CelError(f"type mismatch: {misnamed}")
                assert seen.obj is not None
                new = _patched(seen.form, seen.obj, kind, made)
                attributes.obj = attributes.taken(seen.form, new)
            except CelError as error:
                problems.append(PolicyError(invocation.who, str(error), fails))
        return attributes.obj is not before


def _compiled(spec: JSON) -> Compiled:
    found: Compiled | None = RULE_CACHE.of("mutating-policy", spec)
    if found is None:
        found = _compile(spec)
        RULE_CACHE.keep("mutating-policy", spec, found)
    return found


def _compile(spec: JSON) -> Compiled:
    variables = variables_of(spec)
    known = environment.declared(
        params=spec.get("paramKind") is not None,
        authorizer=True,
        variables={name: program.result for name, program in variables.items()},
    )
    mutations = []
    for mutation in spec.get("mutations") or ():
        kind = mutation.get("patchType", "")
        text = (mutation.get("applyConfiguration") or mutation.get("jsonPatch") or {}).get("expression", "")
        try:
            program = environment.compile_expression(text, known, (), patches.MESSAGES)
        except ExpressionError as error:
            mutations.append((kind, Expression(text, None, f"compilation error: {error}"), ""))
        else:
            mutations.append((kind, Expression(text, program), patches.misnamed(program.checked.tree)))
    return Compiled(conditions_of(spec), variables, tuple(mutations))


def _patched(form: Kind, obj: JSON, kind: str, made: object) -> JSON:
    """The object with what an expression made. Raises CelError when it does not fit."""
    if kind == "JSONPatch":
        try:
            new = patch.json_patch(obj, made)
        except patch.PatchError as error:
            if "test" in str(error) and "fail" in str(error):
                return obj  # a test that fails: nothing is patched
            raise CelError(f"JSONPath: {error}") from None
    else:
        struct = form.structure
        assert isinstance(made, dict)
        if struct is None:
            raise CelError("error applying patch: type converter must not be nil")
        if atomics := _atomics(struct, made, ""):
            text = f"may not mutate atomic arrays, maps or structs: {', '.join(atomics)}"
            raise CelError(f"error applying patch: invalid ApplyConfiguration: {text}")
        problems = typed.problems(struct, made)
        if problems:
            text = f"error applying patch: failed to convert patch object to typed object: {problems[0]}"
            raise CelError(text)
        new = typed.merge(struct, obj, made)
    try:
        decoded = decode.decode(form.api_version, form.kind, new, form.structure, loose=True).obj
    except decode.DecodeError as error:
        raise CelError(f"error applying patch: {error}") from None
    for name in ("apiVersion", "kind"):
        if decoded.get(name) != obj.get(name):
            raise CelError(f"error applying patch: {name} may not be changed by a policy")
    meta, before = decoded.get("metadata") or {}, obj["metadata"]
    for name in _IDENTITY:
        if meta.get(name) != before.get(name):
            raise CelError(f"error applying patch: metadata.{name} may not be changed by a policy")
    return form.default(decoded)


_IDENTITY = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
)


def _atomics(node: Node, value: object, path: str) -> list[str]:
    """The paths of all that would be replaced as a whole."""
    found: list[str] = []
    if isinstance(value, dict) and isinstance(node, Struct):
        if node.atomic and path:
            found.append(path)
        for name, part in value.items():
            field = node.fields.get(name)
            if field is not None:
                found += _atomics(field.node, part, f"{path}.{name}")
    elif isinstance(value, list) and node.code == LIST:
        if getattr(node, "type", "atomic") == "atomic":
            found.append(path)
        for at, item in enumerate(value):
            found += _atomics(node.items, item, f"{path}[{at}]")  # type: ignore[attr-defined]
    return found


def _refusal(attributes: Attributes, problems: list[PolicyError]) -> errors.ApiError:
    status = errors.forbidden(
        attributes.resource, attributes.name, "admission request denied by policy"
    ).status
    details = {**status["details"], "causes": [{"message": str(problem)} for problem in problems]}
    return errors.ApiError({**status, "message": str(problems[0]), "reason": "Invalid", "details": details})
