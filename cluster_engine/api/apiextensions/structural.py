"""What a schema of a custom resource may say: it must be structural, its rules must compile.

Models k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go and
pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cluster_engine.api.apiextensions import rules, values
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from cluster_engine.cel import estimator, regexes
from cluster_engine.cel.declarations import REQUEST_BYTES, of_schema
from cluster_engine.cel.errors import CelError

MAX_DEPTH = 40
"""Schemas within each other; a definition that goes deeper is refused."""

MOST_EXPENSIVE = 4
"""Rules that are named when all together are too dear."""

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_FORBIDDEN = (
    ("id", "id is not supported"),
    ("additionalItems", "additionalItems is not supported"),
    ("patternProperties", "patternProperties is not supported"),
    ("definitions", "definitions is not supported"),
    ("dependencies", "dependencies is not supported"),
    ("$ref", "$ref is not supported"),
)
_VALUE_ONLY = ("title", "description", "default", "additionalProperties", "nullable", "type")
"""What must not stand within allOf, anyOf, oneOf and not."""


class _Place(NamedTuple):
    """Where in a schema one stands."""

    path: str
    name: str
    level: str = "field"
    """root, item, field."""
    no_default: str = ""
    """Why no default may stand here."""
    uncorrelated: str = ""
    """The path of the list or map within which old and new cannot be told to be the same."""
    depth: int = 0
    copies: int | None = 1
    """How many values there may be; None: nothing limits them."""

    def below(self, path: str, name: str, **more: Any) -> _Place:
        return self._replace(path=path, name=f"{self.name}.{name}", depth=self.depth + 1, **more)


class Costs:
    """What the rules of a schema may cost, each and together."""

    def __init__(self) -> None:
        self.total = 0
        self.dearest: list[tuple[int, str]] = []

    def of_rule(self, path: str, what: str, cost: int) -> list[FieldError]:
        """Counts a rule; the refusal when it alone is too dear."""
        self.total = min(self.total + cost, estimator.UNKNOWN)
        self.dearest = sorted([*self.dearest, (cost, path)], key=lambda one: -one[0])[:MOST_EXPENSIVE]
        if cost <= estimator.RULE_LIMIT:
            return []
        text = _too_dear(f"estimated {what} cost", cost, estimator.RULE_LIMIT)
        return [forbidden_field(path, text)]

    def problems(self, path: str) -> list[FieldError]:
        """The refusals when all rules together are too dear."""
        if self.total <= estimator.SCHEMA_LIMIT:
            return []
        part = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        text = _too_dear(what, self.total, estimator.SCHEMA_LIMIT)
        return [*(forbidden_field(place, part) for _, place in self.dearest), forbidden_field(path, text)]


def _too_dear(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return (
        f"{what} exceeds budget by factor of {shown} (try simplifying the rule, or adding maxItems, maxProperties, and "
        "maxLength where arrays, maps, and strings are declared)"
    )


def check_schema(schema: JSON, path: str) -> list[FieldError]:
    """What is wrong with the schema of one version."""
    problems: list[FieldError] = []
    if schema.get("nullable"):
        problems.append(forbidden_field(f"{path}.nullable", "nullable cannot be true at the root"))
    costs = Costs()
    found: list[FieldError] = []
    _visit(schema, _Place(path, "selfType", "root"), found)
    problems += sorted(found, key=str)
    if not problems:
        _visit_rules(schema, _Place(path, "selfType", "root"), problems, costs)
        problems += costs.problems(path)
    if not problems:
        _visit_defaults(schema, path, problems)
    return problems


def _visit(schema: JSON, place: _Place, problems: list[FieldError]) -> None:
    path = place.path
    if place.depth > MAX_DEPTH:
        problems.append(forbidden_field(path, f"schemas within each other are followed {MAX_DEPTH} deep"))
        return
    problems += _standard(schema, place)
    problems += _types(schema, place)
    problems += _extensions(schema, path)
    problems += _rule_texts(schema, path)
    for name in ("allOf", "anyOf", "oneOf"):
        for at, part in enumerate(schema.get(name) or ()):
            _value_schema(part, schema, f"{path}.{name}[{at}]", problems, place.depth + 1)
    if schema.get("not"):
        _value_schema(schema["not"], schema, f"{path}.not", problems, place.depth + 1)
    for name, child in (schema.get("properties") or {}).items():
        meta = place.level == "root" and name in ("metadata", "kind", "apiVersion")
        reason = f"in top-level {name}" if meta else place.no_default
        _visit(
            child, place.below(f"{path}.properties[{name}]", name, level="field", no_default=reason), problems
        )
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        _visit(rest, place.below(f"{path}.additionalProperties", "@elem", level="field"), problems)
    if isinstance(schema.get("items"), dict):
        _visit(schema["items"], place.below(f"{path}.items", "@idx", level="item"), problems)


def _standard(schema: JSON, place: _Place) -> list[FieldError]:
    path = place.path
    problems = [forbidden_field(f"{path}.{name}", text) for name, text in _FORBIDDEN if schema.get(name)]
    if "default" in schema and place.no_default:
        problems.append(forbidden_field(f"{path}.default", f"must not be set {place.no_default}"))
    kind = schema.get("type")
    if kind == "null":
        problems.append(
            forbidden_field(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
        )
    elif kind and kind not in _TYPES:
        problems.append(not_supported(f"{path}.type", kind, _TYPES))
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        problems.append(forbidden_field(f"{path}.uniqueItems", text))
    if schema.get("properties") and isinstance(schema.get("additionalProperties"), dict):
        text = "additionalProperties and properties are mutual exclusive"
        problems.append(forbidden_field(f"{path}.additionalProperties", text))
    if schema.get("additionalProperties") is False:
        problems.append(forbidden_field(f"{path}.additionalProperties", "must not be set to false"))
    if isinstance(schema.get("items"), list):
        problems.append(forbidden_field(f"{path}.items", "items must be a schema object and not an array"))
    if schema.get("pattern"):
        try:
            regexes.pattern(schema["pattern"])
        except CelError as error:
            text = f"must be a valid regular expression, but isn't: {error}"
            problems.append(invalid_value(f"{path}.pattern", schema["pattern"], text))
    return problems


def _types(schema: JSON, place: _Place) -> list[FieldError]:
    path, kind = place.path, schema.get("type") or ""
    problems: list[FieldError] = []
    if kind == "array" and not schema.get("items"):
        problems.append(required(f"{path}.items", "must be specified"))
    if schema.get("x-kubernetes-embedded-resource") and kind != "object":
        text = "must be object if x-kubernetes-embedded-resource is true"
        problems.append(
            required(f"{path}.type", text) if not kind else invalid_value(f"{path}.type", kind, text)
        )
    elif not (
        kind or schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    ):
        where = {
            "root": "must not be empty at the root",
            "item": "must not be empty for specified array items",
            "field": "must not be empty for specified object fields",
        }[place.level]
        problems.append(required(f"{path}.type", where))
    if place.level == "root" and kind and kind != "object":
        problems.append(invalid_value(f"{path}.type", kind, "must be object at the root"))
    if schema.get("x-kubernetes-int-or-string") and kind:
        text = "must be empty if x-kubernetes-int-or-string is true"
        problems.append(forbidden_field(f"{path}.type", text))
    if place.level == "root" or schema.get("x-kubernetes-embedded-resource"):
        problems += _meta(schema.get("properties") or {}, path)
    return problems


def _meta(properties: Mapping[str, JSON], path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for name in ("kind", "apiVersion"):
        child = properties.get(name)
        if child is not None and child.get("type") != "string":
            place = f"{path}.properties[{name}].type"
            problems.append(invalid_value(place, child.get("type") or "", "must be string"))
    meta = properties.get("metadata")
    if meta is not None:
        place = f"{path}.properties[metadata]"
        if meta.get("type") != "object":
            problems.append(invalid_value(f"{place}.type", meta.get("type") or "", "must be object"))
        if set(meta.get("properties") or {}) - {"name", "generateName"}:
            text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            problems.append(forbidden_field(place, text))
    return problems


def _extensions(schema: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    kind = schema.get("type") or ""
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        place = f"{path}.x-kubernetes-preserve-unknown-fields"
        problems.append(invalid_value(place, False, "must be true or undefined"))
    for name, needed, choices in (
        ("x-kubernetes-map-type", "object", ("atomic", "granular")),
        ("x-kubernetes-list-type", "array", ("atomic", "set", "map")),
    ):
        found = schema.get(name)
        if found is None:
            continue
        if kind != needed:
            text = f"must be {needed} if {name} is specified"
            problems.append(
                required(f"{path}.type", text) if not kind else invalid_value(f"{path}.type", kind, text)
            )
        if found not in choices:
            problems.append(not_supported(f"{path}.{name}", found, choices))
    return problems + _list_keys(schema, path)


def _list_keys(schema: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or []
    items = schema.get("items") if isinstance(schema.get("items"), dict) else None
    if keys and kind != "map":
        place, text = (
            f"{path}.x-kubernetes-list-type",
            "must be map if x-kubernetes-list-map-keys is non-empty",
        )
        problems.append(required(place, text) if kind is None else invalid_value(place, kind, text))
    if kind in ("set", "map") and items is not None and items.get("nullable"):
        problems.append(
            forbidden_field(
                f"{path}.items.nullable", f"cannot be nullable when x-kubernetes-list-type is {kind}"
            )
        )
    if kind != "map":
        return problems
    if not keys:
        text = "must not be empty if x-kubernetes-list-type is map"
        problems.append(required(f"{path}.x-kubernetes-list-map-keys", text))
    if items is None:
        text = "must have a schema if x-kubernetes-list-type is map"
        return [*problems, required(f"{path}.items", text)]
    if items.get("type") != "object":
        text = "must be object if parent array's x-kubernetes-list-type is map"
        return [*problems, invalid_value(f"{path}.items.type", items.get("type") or "", text)]
    for key in keys:
        child = (items.get("properties") or {}).get(key)
        if child is None:
            text = "entries must all be names of item properties"
            problems.append(invalid_value(f"{path}.x-kubernetes-list-map-keys", list(keys), text))
        elif child.get("type") in ("array", "object"):
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            problems.append(invalid_value(f"{path}.items.properties[{key}].type", items["type"], text))
        elif key not in (items.get("required") or ()) and "default" not in child:
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            problems.append(required(f"{path}.items.properties[{key}].default", text))
    if len(set(keys)) < len(keys):
        text = "must not contain duplicate entries"
        problems.append(invalid_value(f"{path}.x-kubernetes-list-map-keys", list(keys), text))
    return problems


def _value_schema(schema: JSON, outer: JSON, path: str, problems: list[FieldError], depth: int) -> None:
    """A schema that only restricts values: it must not describe anything that the schema around it does not."""
    if depth > MAX_DEPTH:
        problems.append(forbidden_field(path, f"schemas within each other are followed {MAX_DEPTH} deep"))
        return
    int_or_string = outer.get("x-kubernetes-int-or-string")
    for name in _VALUE_ONLY:
        if schema.get(name) is not None and not (name == "type" and int_or_string):
            text = (
                "must be empty to be structural"
                if name in ("type", "title", "description")
                else "must be undefined to be structural"
            )
            if name == "nullable":
                text = "must be false to be structural"
            problems.append(forbidden_field(f"{path}.{name}", text))
    for name in schema:
        if name.startswith("x-kubernetes-") and name != "x-kubernetes-validations":
            problems.append(forbidden_field(f"{path}.{name}", "must be false to be structural"))
    known = outer.get("properties") or {}
    for name, child in (schema.get("properties") or {}).items():
        if name not in known:
            problems.append(
                required(_outer(path, name), "because it is defined in " + f"{path}.properties[{name}]")
            )
        _value_schema(child, known.get(name) or {}, f"{path}.properties[{name}]", problems, depth + 1)
    if isinstance(schema.get("items"), dict):
        _value_schema(schema["items"], outer.get("items") or {}, f"{path}.items", problems, depth + 1)
    for name in ("allOf", "anyOf", "oneOf"):
        for at, part in enumerate(schema.get(name) or ()):
            _value_schema(part, outer, f"{path}.{name}[{at}]", problems, depth + 1)


def _outer(path: str, name: str) -> str:
    """Where a property should have been described: outside of the allOf, anyOf, oneOf or not."""
    for word in (".allOf[", ".anyOf[", ".oneOf[", ".not"):
        path = path.partition(word)[0]
    return f"{path}.properties[{name}]"


def _rule_texts(schema: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    for at, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        place = f"{path}.x-kubernetes-validations[{at}]"
        text, message = rule.get("rule") or "", rule.get("message") or ""
        if not text.strip():
            problems.append(required(f"{place}.rule", "rule is not specified"))
        elif message and not message.strip():
            problems.append(
                invalid_value(f"{place}.message", message, "message must be non-empty if specified")
            )
        elif "\n" in message.strip():
            problems.append(
                invalid_value(f"{place}.message", message, "message must not contain line breaks")
            )
        elif "\n" in text.strip() and not message.strip():
            problems.append(
                required(f"{place}.message", "message must be specified if rule contains line breaks")
            )
        said = rule.get("messageExpression") or ""
        if said and not said.strip():
            problems.append(
                required(f"{place}.messageExpression", "messageExpression must be non-empty if specified")
            )
        if rule.get("reason") is not None and rule["reason"] not in _REASONS:
            problems.append(not_supported(f"{place}.reason", rule["reason"], _REASONS))
        where = rule.get("fieldPath") or ""
        if where and not where.strip():
            problems.append(
                invalid_value(f"{place}.fieldPath", where, "fieldPath must be non-empty if specified")
            )
        elif where and rules.path_problem(where, schema):
            problems.append(invalid_value(f"{place}.fieldPath", where, "fieldPath must be a valid path"))
    return problems


def _visit_rules(schema: JSON, place: _Place, problems: list[FieldError], costs: Costs) -> None:
    if schema.get("x-kubernetes-validations"):
        resource = place.level == "root" or bool(schema.get("x-kubernetes-embedded-resource"))
        problems += _check_rules(schema, place, resource, costs)
    for name, child in (schema.get("properties") or {}).items():
        apart = schema.get("x-kubernetes-map-type") == "atomic"
        lost = place.uncorrelated or (place.path if apart else "")
        below = place.below(f"{place.path}.properties[{name}]", name, level="field", uncorrelated=lost)
        _visit_rules(child, below, problems, costs)
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        copies = _many(place.copies, schema.get("maxProperties"))
        below = place.below(f"{place.path}.additionalProperties", "@elem", level="field", copies=copies)
        _visit_rules(rest, below, problems, costs)
    if isinstance(schema.get("items"), dict):
        apart = schema.get("x-kubernetes-list-type") != "map"
        lost = place.uncorrelated or (place.path if apart else "")
        copies = _many(place.copies, schema.get("maxItems"))
        below = place.below(f"{place.path}.items", "@idx", level="item", uncorrelated=lost, copies=copies)
        _visit_rules(schema["items"], below, problems, costs)


def _many(copies: int | None, most: int | None) -> int | None:
    """How many values there are of an item, when that is limited all the way."""
    return None if copies is None or most is None else estimator.times(copies, max(most, 0))


def _check_rules(schema: JSON, place: _Place, resource: bool, costs: Costs) -> list[FieldError]:
    problems: list[FieldError] = []
    kind = of_schema(schema, place.name, resource)
    copies = place.copies
    if copies is None and kind is not None:
        copies = REQUEST_BYTES // (kind.least + 1)
    for at, rule in enumerate(rules.compile_rules(schema, kind)):
        path = f"{place.path}.x-kubernetes-validations[{at}]"
        if rule.program is not None:
            cost = estimator.times(estimator.most(rule.program.checked), copies or 1)
            problems += costs.of_rule(f"{path}.rule", "rule", cost)
        if rule.message is not None:
            cost = estimator.most(rule.message.checked)
            problems += costs.of_rule(f"{path}.messageExpression", "messageExpression", cost)
        if rule.problem:
            problems.append(rules.invalid_rule(f"{path}.rule", rule.spec, rule.problem))
        if rule.said_problem:
            problems.append(rules.invalid_rule(f"{path}.messageExpression", rule.spec, rule.said_problem))
        if rule.transition and place.uncorrelated:
            text = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.uncorrelated}"
            problems.append(invalid_value(f"{path}.rule", rule.spec.get("rule"), text))
        if not rule.transition and not rule.problem and rule.spec.get("optionalOldSelf") is not None:
            text = "may not be set if oldSelf is not used in rule"
            problems.append(invalid_value(f"{path}.optionalOldSelf", rule.spec["optionalOldSelf"], text))
    return problems


def _visit_defaults(schema: JSON, path: str, problems: list[FieldError]) -> None:
    """A default must itself be good."""
    if "default" in schema:
        default = values.defaulted(schema["default"], schema)
        for error in values.check(default, schema, ""):
            place = f"{path}.default" + (f".{error.field}" if error.field else "")
            problems.append(FieldError(error.type, place, error.bad_value, error.detail))
    for name, child in (schema.get("properties") or {}).items():
        _visit_defaults(child, f"{path}.properties[{name}]", problems)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            _visit_defaults(schema[name], f"{path}.{name}", problems)
