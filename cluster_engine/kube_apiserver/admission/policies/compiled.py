"""The expressions of a policy, compiled: once for each spec, whatever the cluster.

Models k8s.io/apiserver/pkg/admission/plugin/policy/validating/plugin.go (compilePolicy) and
pkg/admission/plugin/webhook/matchconditions/matcher.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.cel import environment
from cluster_engine.cel.environment import Activation, Composition, ExpressionError
from cluster_engine.cel.errors import CelError
from cluster_engine.cel.program import Budget, Program
from cluster_engine.cel.types import Type


class Expression(NamedTuple):
    """A compiled expression, or why it could not be: ``problem``."""

    text: str
    program: Program | None
    problem: str = ""


class CompiledPolicy(NamedTuple):
    """The expressions of a policy. ``rules`` are (what the spec says, its expression, that of its message)."""

    conditions: tuple[Expression, ...]
    variables: Mapping[str, Program]
    rules: tuple[tuple[JSON, Expression, Expression | None], ...]
    annotations: tuple[tuple[str, Expression], ...]


def expression(text: str, variables: Mapping[str, Type], returns: tuple[Type, ...] = ()) -> Expression:
    """The expression, compiled if it can be."""
    try:
        return Expression(text, environment.compile_expression(text, variables, returns))
    except ExpressionError as error:
        return Expression(text, None, f"compilation error: {error}")


def compiled(spec: JSON) -> CompiledPolicy:
    """The expressions of a ValidatingAdmissionPolicy's spec."""
    found: CompiledPolicy | None = RULE_CACHE.of("validating-policy", spec)
    if found is None:
        found = _compile(spec)
        RULE_CACHE.keep("validating-policy", spec, found)
    return found


def conditions_of(spec: JSON) -> tuple[Expression, ...]:
    """The matchConditions of a policy's spec."""
    bare = environment.declared(params=spec.get("paramKind") is not None, authorizer=True)
    return tuple(
        expression(condition.get("expression", ""), bare, environment.CONDITION)
        for condition in spec.get("matchConditions") or ()
    )


def variables_of(spec: JSON) -> dict[str, Program]:
    """The variables of a policy's spec; each sees those before it. What does not compile is left out."""
    programs: dict[str, Program] = {}
    for variable in spec.get("variables") or ():
        types = {name: program.result for name, program in programs.items()}
        known = environment.declared(
            params=spec.get("paramKind") is not None, authorizer=True, variables=types
        )
        made = expression(variable.get("expression", ""), known)
        if made.program is not None:
            programs[variable["name"]] = made.program
    return programs


def _compile(spec: JSON) -> CompiledPolicy:
    params = spec.get("paramKind") is not None
    variables = variables_of(spec)
    types = {name: program.result for name, program in variables.items()}
    known = environment.declared(params=params, authorizer=True, variables=types)
    spoken = environment.declared(params=params, authorizer=False, variables=types)
    rules = tuple(
        (
            rule,
            expression(rule.get("expression", ""), known, environment.CONDITION),
            expression(rule["messageExpression"], spoken, environment.MESSAGE)
            if rule.get("messageExpression")
            else None,
        )
        for rule in spec.get("validations") or ()
    )
    annotations = tuple(
        (
            annotation.get("key", ""),
            expression(annotation.get("valueExpression", ""), known, environment.ANNOTATION),
        )
        for annotation in spec.get("auditAnnotations") or ()
    )
    return CompiledPolicy(conditions_of(spec), variables, rules, annotations)


def evaluated(made: Expression, activation: Mapping[str, Any], budget: Budget) -> Any:
    """The value of an expression. Raises CelError; CelCostError when nothing of the budget is left."""
    if made.program is None:
        raise CelError(made.problem)
    return environment.evaluate(made.program, activation, budget)


def applies(conditions: tuple[Expression, ...], activation: Mapping[str, Any]) -> bool:
    """Whether all conditions hold; one that is false settles it. Raises CelError with what failed."""
    budget = Budget(environment.MATCH_BUDGET)
    failures: list[str] = []
    for condition in conditions:
        try:
            if evaluated(condition, activation, budget) is not True:
                return False
        except CelError as error:
            failures.append(str(error))
            if budget.left < 0:
                break
    if failures:
        texts = list(dict.fromkeys(failures))
        raise CelError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return True


def with_variables(activation: Activation, variables: Mapping[str, Program], budget: Budget) -> Activation:
    """The activation with ``variables`` in it."""
    if variables:
        activation["variables"] = Composition(variables, activation, budget)
    return activation
