"""Rules in CEL on custom resources (``x-kubernetes-validations``).

Models k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel (compilation.go, validation.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any, NamedTuple

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    INVALID,
    OMITTED,
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
)
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.cel import types
from cluster_engine.cel.conversion import Convert, converter
from cluster_engine.cel.declarations import of_schema
from cluster_engine.cel.environment import BUDGET, MAX_MESSAGE
from cluster_engine.cel.errors import CelCompileError, CelCostError, CelError
from cluster_engine.cel.parser import children
from cluster_engine.cel.program import Budget, Program, compile
from cluster_engine.cel.syntax import Ident
from cluster_engine.cel.types import Type
from cluster_engine.cel.values import NONE, Optional

_EXHAUSTED = "validation failed due to running out of cost budget, no further validation rules will be run"
_STEP = re.compile(r"\.([^.\[\]']+)|\['((?:[^'\\]|\\.)*)'\]")
_ESCAPE = re.compile(r"\\(.)")


class Rule(NamedTuple):
    """A compiled rule; ``problem`` is why it is none, ``said_problem`` why its messageExpression is none."""

    spec: JSON
    program: Program | None
    problem: str
    message: Program | None
    said_problem: str
    transition: bool
    """Whether it looks at ``oldSelf``."""


class Validator:
    """The rules of one place of a schema and of the places below it."""

    __slots__ = ("additional", "convert", "items", "keys", "properties", "rules", "together")

    def __init__(self, schema: JSON, rules: tuple[Rule, ...], convert: Convert | None) -> None:
        self.rules = rules
        self.convert = convert
        self.keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        self.together = schema.get("x-kubernetes-map-type") != "atomic"
        self.properties: dict[str, Validator] = {}
        self.items: Validator | None = None
        self.additional: Validator | None = None

    def __bool__(self) -> bool:
        return bool(self.rules or self.properties or self.items or self.additional)


def compile_rules(schema: JSON, self_type: Type | None) -> tuple[Rule, ...]:
    """The rules of one place of a schema, whose values are of a type."""
    return tuple(_compile(rule, self_type) for rule in schema.get("x-kubernetes-validations") or ())


def _compile(spec: JSON, self_type: Type | None) -> Rule:
    if self_type is None:
        return Rule(spec, None, "rule is set on a schema that rules cannot see", None, "", False)
    optional = bool(spec.get("optionalOldSelf"))
    known = {"self": self_type, "oldSelf": types.optional_of(self_type) if optional else self_type}
    program, message, problem, said_problem = None, None, "", ""
    try:
        program = compile(spec.get("rule") or "", known)
    except CelCompileError as error:
        problem = f"compilation failed: {error}"
    else:
        if program.result != types.BOOL:
            problem, program = "cel expression must evaluate to a bool", None
    if (spec.get("messageExpression") or "").strip():
        try:
            message = compile(spec["messageExpression"], known)
        except CelCompileError as error:
            said_problem = f"messageExpression compilation failed: {error}"
        else:
            if message.result != types.STRING:
                said_problem, message = "messageExpression must evaluate to a string", None
    transition = program is not None and "oldSelf" in _names(program)
    return Rule(spec, program, problem, message, said_problem, transition)


def _names(program: Program) -> Iterator[str]:
    left = [program.checked.tree]
    while left:
        node = left.pop()
        if isinstance(node, Ident):
            yield node.name
        left += children(node)


def validator(schema: JSON) -> Validator:
    """All rules of a schema, compiled once for it."""
    found: Validator | None = RULE_CACHE.of("custom-rules", schema)
    if found is None:
        found = _validator(schema, "selfType", True)
        RULE_CACHE.keep("custom-rules", schema, found)
    return found


def _validator(schema: JSON, name: str, resource: bool) -> Validator:
    rules: tuple[Rule, ...] = ()
    convert = None
    if schema.get("x-kubernetes-validations"):
        rules = compile_rules(schema, of_schema(schema, name, resource))
        convert = converter(schema, resource)
    made = Validator(schema, rules, convert)
    for field, child in (schema.get("properties") or {}).items():
        below = _validator(child, f"{name}.{field}", bool(child.get("x-kubernetes-embedded-resource")))
        if below:
            made.properties[field] = below
    for place, key in (("items", "items"), ("additional", "additionalProperties")):
        child = schema.get(key)
        if isinstance(child, dict):
            below = _validator(child, f"{name}.{key}", bool(child.get("x-kubernetes-embedded-resource")))
            if below:
                setattr(made, place, below)
    return made


def check(rules: Validator, value: Any, old: Any, path: str = "") -> list[FieldError]:
    """What the rules say against an object; ``old`` is what it was, None at a create."""
    problems: list[FieldError] = []
    if rules:
        _Run(problems).visit(rules, value, old, path)
    return problems


class _Run:
    """One object's way through the rules, under one budget."""

    def __init__(self, problems: list[FieldError]) -> None:
        self.problems = problems
        self.budget = Budget(BUDGET)
        self.over = False

    def visit(self, rules: Validator, value: Any, old: Any, path: str) -> None:
        if value is None or self.over:
            return
        if rules.rules:
            self.ask(rules, value, old, path)
        if isinstance(value, dict):
            before = old if isinstance(old, dict) and rules.together else {}
            for name in sorted(value):
                below = rules.properties.get(name) or rules.additional
                if below is None:
                    continue
                place = f"{path}.{name}" if path else name
                if name not in rules.properties:
                    place = f"{path}[{name}]"
                self.visit(below, value[name], before.get(name), place)
        elif isinstance(value, list) and rules.items is not None:
            known: Mapping[str, Any] = {}
            if rules.keys and isinstance(old, list):
                known = {_key(item, rules.keys): item for item in old}
            for at, item in enumerate(value):
                self.visit(rules.items, item, known.get(_key(item, rules.keys)), f"{path}[{at}]")

    def ask(self, rules: Validator, value: Any, old: Any, path: str) -> None:
        convert = rules.convert
        now = value if convert is None else convert(value)
        before = old if convert is None or old is None else convert(old)
        for rule in rules.rules:
            optional = bool(rule.spec.get("optionalOldSelf"))
            if self.over or (rule.transition and old is None and not optional):
                continue
            if rule.program is None:
                self.add(path, value, f"rule compile error: {rule.problem}")
                continue
            if optional:
                before = Optional(True, before) if old is not None else NONE
            values = {"self": now, "oldSelf": before}
            if not self.holds(rule, values, value, path) and (rule.transition or old is None or value != old):
                self.refuse(rule, values, value, path)

    def holds(self, rule: Rule, values: Mapping[str, Any], value: Any, path: str) -> bool:
        """Whether a rule is true; what it cannot say is an error of its own, and True."""
        assert rule.program is not None
        text = (rule.spec.get("message") or rule.spec.get("rule") or "").strip()
        try:
            return rule.program.evaluate(values, self.budget) is True
        except CelCostError as error:
            self.over = True
            if self.budget.left < 0:
                self.add(path, value, _EXHAUSTED)
            else:
                detail = "no further validation rules will be run due to call cost exceeds limit for rule"
                self.add(path, value, f"'{error}': {detail}: {text}")
        except CelError as error:
            said = str(error)
            if said.startswith("no such overload"):
                detail = "call arguments did not match a supported operator, function or macro signature"
                self.add(path, value, f"'{said}': {detail} for rule: {text}")
            else:
                self.add(path, value, f"{said} evaluating rule: {text}")
        return True

    def refuse(self, rule: Rule, values: Mapping[str, Any], value: Any, path: str) -> None:
        place = path + "".join(_steps(rule.spec.get("fieldPath") or ""))
        detail = self.message(rule, values)
        match rule.spec.get("reason"):
            case "FieldValueForbidden":
                self.problems.append(forbidden_field(place, detail))
            case "FieldValueRequired":
                self.problems.append(required(place, detail))
            case "FieldValueDuplicate":
                self.problems.append(duplicate(place, _shown(value)))
            case _:
                self.add(place, value, detail)

    def message(self, rule: Rule, values: Mapping[str, Any]) -> str:
        """What a rule says: its messageExpression if that gives one line, its message, or the rule itself."""
        if rule.message is not None:
            try:
                said = rule.message.evaluate(values, self.budget).strip()
            except CelCostError:
                self.over = True
                said = ""
            except CelError:
                said = ""
            if said and "\n" not in said and len(said.encode()) <= MAX_MESSAGE:
                return str(said)
        said = (rule.spec.get("message") or "").strip()
        return said or f"failed rule: {(rule.spec.get('rule') or '').strip()}"

    def add(self, path: str, value: Any, detail: str) -> None:
        self.problems.append(FieldError(INVALID, path or "<nil>", _shown(value), detail))


def _shown(value: Any) -> Any:
    """The value that an error shows: none of objects and lists."""
    return OMITTED if isinstance(value, (dict, list)) else value


def _key(item: Any, keys: tuple[str, ...]) -> str:
    return dumps([item.get(key) for key in keys] if isinstance(item, dict) else item, sort_keys=True)


def _steps(path: str) -> list[str]:
    """``.a['b']`` as a field path continues: ``.a``, ``.b``."""
    return [f".{match[1] or _ESCAPE.sub(_unescaped, match[2])}" for match in _STEP.finditer(path)]


def _unescaped(match: re.Match[str]) -> str:
    return match[1]


def path_problem(path: str, schema: JSON) -> str:
    """Why a fieldPath leads nowhere in a schema; nothing when it does."""
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return "is no path"
        name = match[1] or _ESCAPE.sub(_unescaped, match[2] or "")
        children_of = schema.get("properties")
        if children_of is not None:
            if name not in children_of:
                return "does not refer to a valid field"
            schema = children_of[name]
        elif isinstance(schema.get("additionalProperties"), dict):
            schema = schema["additionalProperties"]
        else:
            return "does not refer to a valid field"
        at = match.end()
    return ""


def invalid_rule(path: str, spec: JSON, detail: str) -> FieldError:
    """An error that shows a rule as the server's internal type has it."""
    shown = {
        "Rule": spec.get("rule") or "",
        "Message": spec.get("message") or "",
        "MessageExpression": spec.get("messageExpression") or "",
        "Reason": spec.get("reason"),
        "FieldPath": spec.get("fieldPath") or "",
        "OptionalOldSelf": spec.get("optionalOldSelf"),
    }
    return invalid_value(path, shown, detail)
