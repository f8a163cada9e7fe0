"""Custom resources: what a definition may say, what its objects may be, and how they come and go."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from sea import BOATS, CRDS, NAME, Sea, boat, definition, schema, version

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]


@pytest.fixture
def sea() -> Sea:
    return Sea()


# ---- the definition -------------------------------------------------------------------------------------

PATH = "spec.validation.openAPIV3Schema"
RULE = f"{PATH}.properties[spec].properties[a].x-kubernetes-validations[0].rule"


def invalid_rule(rule: str) -> str:
    shown = {
        "Rule": rule,
        "Message": "",
        "MessageExpression": "",
        "Reason": None,
        "FieldPath": "",
        "OptionalOldSelf": None,
    }
    return orjson.dumps(shown).decode()


WRONG: dict[str, tuple[JSON, str]] = {
    "another name": (
        {**definition(), "metadata": {"name": "x.shop.example.com"}},
        'metadata.name: Invalid value: "x.shop.example.com": must be spec.names.plural+"."+spec.group',
    ),
    "a group without a dot": (
        {**definition(group="shop"), "metadata": {"name": "boats.shop"}},
        'spec.group: Invalid value: "shop": should be a domain with at least one dot',
    ),
    "a scope that is none": (
        definition(scope="World"),
        'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
    ),
    "no storage": (
        definition(version(storage=False)),
        "must have exactly one version marked as storage version",
    ),
    "two of a name": (
        definition(version(), version(storage=False)),
        "must contain unique version names",
    ),
    "no schema": (
        definition({"name": "v1", "served": True, "storage": True}),
        "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
    ),
    "no type": (
        definition(version(openapi=schema(a={}))),
        f"{PATH}.properties[spec].properties[a].type: Required value: must not be empty for specified object fields",
    ),
    "no type at the root": (
        definition(version(openapi={"properties": {}})),
        f"{PATH}.type: Required value: must not be empty at the root",
    ),
    "a list at the root": (
        definition(version(openapi={"type": "array", "items": {"type": "string"}})),
        f'{PATH}.type: Invalid value: "array": must be object at the root',
    ),
    "a list of nothing": (
        definition(version(openapi=schema(a={"type": "array"}))),
        f"{PATH}.properties[spec].properties[a].items: Required value: must be specified",
    ),
    "unique items": (
        definition(
            version(openapi=schema(a={"type": "array", "items": {"type": "string"}, "uniqueItems": True}))
        ),
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    ),
    "properties and others": (
        definition(
            version(
                openapi=schema(
                    a={
                        "type": "object",
                        "properties": {"b": {"type": "string"}},
                        "additionalProperties": {"type": "string"},
                    }
                )
            )
        ),
        "additionalProperties and properties are mutual exclusive",
    ),
    "a list type": (
        definition(
            version(
                openapi=schema(
                    a={"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "bag"}
                )
            )
        ),
        'Unsupported value: "bag": supported values: "atomic", "set", "map"',
    ),
    "a map list without keys": (
        definition(
            version(
                openapi=schema(
                    a={"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"}
                )
            )
        ),
        "x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
    ),
    "a rule with a name that is none": (
        definition(
            version(openapi=schema(a={"type": "string", "x-kubernetes-validations": [{"rule": "x"}]}))
        ),
        f"{PATH}.properties[spec].properties[a].x-kubernetes-validations[0].rule: Invalid value: {invalid_rule('x')}: "
        "compilation failed: ERROR: <input>:1:1: undeclared reference to 'x' (in container '')\n | x\n | ^",
    ),
    "a rule that is no bool": (
        definition(
            version(openapi=schema(a={"type": "string", "x-kubernetes-validations": [{"rule": "self"}]}))
        ),
        "cel expression must evaluate to a bool",
    ),
    "a message that is no text": (
        definition(
            version(
                openapi=schema(
                    a={
                        "type": "string",
                        "x-kubernetes-validations": [{"rule": "true", "messageExpression": "1"}],
                    }
                )
            )
        ),
        "messageExpression must evaluate to a string",
    ),
    "oldSelf in a list": (
        definition(
            version(
                openapi=schema(
                    a={
                        "type": "array",
                        "items": {
                            "type": "string",
                            "x-kubernetes-validations": [{"rule": "self == oldSelf"}],
                        },
                    }
                )
            )
        ),
        "oldSelf cannot be used on the uncorrelatable portion of the schema within "
        f"{PATH}.properties[spec].properties[a]",
    ),
    "a default that is bad": (
        definition(version(openapi=schema(a={"type": "integer", "default": "x"}))),
        f'{PATH}.properties[spec].properties[a].default: Invalid value: "string"',
    ),
    "a pattern": (
        definition(version(openapi=schema(a={"type": "string", "pattern": "("}))),
        "must be a valid regular expression, but isn't: error parsing regexp: missing closing ): `(`",
    ),
    "a column": (
        definition(version(additionalPrinterColumns=[{"name": "A", "type": "text", "jsonPath": "spec.a"}])),
        '[spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "text": '
        "must be one of boolean,date,integer,number,string, "
        'spec.versions[0].additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": '
        "must be a simple json path starting with .]",
    ),
    "a selectable field": (
        definition(version(selectableFields=[{"jsonPath": ".spec.nope"}])),
        'Invalid value: ".spec.nope": is an invalid path: does not refer to a valid field',
    ),
    "not structural": (
        definition(version(openapi=schema(a={"type": "string", "anyOf": [{"type": "string"}]}))),
        f"{PATH}.properties[spec].properties[a].anyOf[0].type: Forbidden: must be empty to be structural",
    ),
    "a rule that may cost too much": (
        definition(
            version(
                openapi=schema(
                    a={
                        "type": "array",
                        "items": {"type": "string"},
                        "x-kubernetes-validations": [{"rule": "self.all(x, self.exists_one(y, x == y))"}],
                    }
                )
            )
        ),
        f"[{RULE}: Forbidden: estimated rule cost exceeds budget by factor of more than 100x "
        "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, "
        f"and strings are declared), {RULE}: Forbidden: contributed to estimated rule cost total "
        f"exceeding cost limit for entire OpenAPIv3 schema, {PATH}: Forbidden: x-kubernetes-validations "
        "estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x",
    ),
    "a message of numbers": (
        definition(
            version(
                openapi=schema(
                    a={
                        "type": "integer",
                        "x-kubernetes-validations": [
                            {"rule": "self < 3", "messageExpression": "'found ' + string(self)"}
                        ],
                    }
                )
            )
        ),
        "messageExpression: Forbidden: estimated messageExpression cost exceeds budget by factor of more than 100x",
    ),
    "a rule in a list without an end": (
        definition(
            version(
                openapi=schema(
                    a={
                        "type": "array",
                        "items": {
                            "type": "array",
                            "items": {"type": "integer"},
                            "x-kubernetes-validations": [{"rule": "self.all(x, x < 3)"}],
                        },
                    }
                )
            )
        ),
        "estimated rule cost exceeds budget by factor of more than 100x",
    ),
    "different schemas": (
        definition(version(), version("v2", schema(a={}), storage=False)),
        "spec.versions[1].schema.openAPIV3Schema.properties[spec].properties[a].type: Required value",
    ),
}


@pytest.mark.parametrize(("crd", "said"), WRONG.values(), ids=WRONG)
def test_a_definition_that_is_wrong(sea: Sea, crd: JSON, said: str) -> None:
    assert said in sea.refused("POST", CRDS, crd)


CLIENT = "spec.conversion.webhookClientConfig"
SERVICE: JSON = {"namespace": "default", "name": "hooks"}


def webhook(*versions: str, **client: Any) -> JSON:
    return {"clientConfig": client, "conversionReviewVersions": list(versions or ("v1",))}


WRONG_CONVERSIONS: dict[str, tuple[JSON, str]] = {
    "no strategy": ({"webhook": webhook()}, "spec.conversion.strategy: Required value"),
    "another strategy": (
        {"strategy": "Magic"},
        'spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"',
    ),
    "no client": (
        {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}},
        f"{CLIENT}: Required value: required when strategy is set to Webhook",
    ),
    "neither address nor Service": (
        {"strategy": "Webhook", "webhook": webhook()},
        f"{CLIENT}: Required value: exactly one of url or service is required",
    ),
    "both": (
        {"strategy": "Webhook", "webhook": webhook(url="https://a.b", service=SERVICE)},
        f"{CLIENT}: Required value: exactly one of url or service is required",
    ),
    "an address without TLS": (
        {"strategy": "Webhook", "webhook": webhook(url="http://a.b")},
        f"{CLIENT}.url: Invalid value: \"http\": 'https' is the only allowed URL scheme",
    ),
    "a port that is none": (
        {"strategy": "Webhook", "webhook": webhook(service={**SERVICE, "port": 70_000})},
        f"{CLIENT}.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive",
    ),
    "no review versions": (
        {"strategy": "Webhook", "webhook": {"clientConfig": {"service": SERVICE}}},
        "spec.conversion.conversionReviewVersions: Required value",
    ),
    "review versions that nobody knows": (
        {"strategy": "Webhook", "webhook": webhook("v2", service=SERVICE)},
        'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ),
    "a review version twice": (
        {"strategy": "Webhook", "webhook": webhook("v1", "v1", service=SERVICE)},
        'spec.conversion.conversionReviewVersions[1]: Invalid value: "v1": duplicate version',
    ),
    "a webhook that has nothing to do": (
        {"strategy": "None", "webhook": webhook(service=SERVICE)},
        f"{CLIENT}: Forbidden: should not be set when strategy is not set to Webhook",
    ),
}


@pytest.mark.parametrize(("conversion", "said"), WRONG_CONVERSIONS.values(), ids=WRONG_CONVERSIONS)
def test_a_conversion_that_is_wrong(sea: Sea, conversion: JSON, said: str) -> None:
    assert said in sea.refused("POST", CRDS, definition(conversion=conversion))


def test_the_port_of_a_converter_is_443(sea: Sea) -> None:
    conversion = {"strategy": "Webhook", "webhook": webhook(service=SERVICE)}
    made = sea.ok("POST", CRDS, definition(conversion=conversion))
    assert made["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["port"] == 443


def test_a_definition_is_established(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    found = sea.ok("GET", f"{CRDS}/{NAME}")
    assert found["spec"]["names"]["listKind"] == "BoatList"
    assert found["status"]["storedVersions"] == ["v1"]
    assert [(c["type"], c["status"], c["reason"]) for c in found["status"]["conditions"]] == [
        ("NamesAccepted", "True", "NoConflicts"),
        ("Established", "True", "InitialNamesAccepted"),
    ]
    resources = sea.ok("GET", "/apis/shop.example.com/v1")["resources"]
    assert [(r["name"], r["kind"], r["namespaced"]) for r in resources] == [("boats", "Boat", True)]


def test_names_that_are_taken_are_not_accepted(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    other = definition(names={"plural": "ships", "kind": "Boat", "listKind": "ShipList", "singular": "ship"})
    sea.ok("POST", CRDS, {**other, "metadata": {"name": "ships.shop.example.com"}})
    conditions = sea.ok("GET", f"{CRDS}/ships.shop.example.com")["status"]["conditions"]
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in conditions] == [
        ("NamesAccepted", "False", "KindConflict", '"Boat" is already in use'),
        ("Established", "False", "NotAccepted", "not all names are accepted"),
    ]
    assert sea.call("GET", "/apis/shop.example.com/v1/namespaces/default/ships")[0] == 404
    sea.ok("DELETE", f"{CRDS}/ships.shop.example.com")
    assert sea.call("GET", f"{CRDS}/ships.shop.example.com")[0] == 404


# ---- the objects ----------------------------------------------------------------------------------------

TYPED = schema(
    text={"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-z]*$"},
    count={"type": "integer", "minimum": 1, "maximum": 5, "default": 2},
    ratio={"type": "number", "exclusiveMaximum": True, "maximum": 1, "multipleOf": 0.25},
    choice={"type": "string", "enum": ["a", "b"]},
    when={"type": "string", "format": "date-time"},
    port={"x-kubernetes-int-or-string": True},
    tags={"type": "array", "items": {"type": "string"}, "maxItems": 3, "x-kubernetes-list-type": "set"},
    parts={
        "type": "array",
        "minItems": 1,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "size": {"type": "integer", "default": 1}},
        },
    },
    labels={"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 1},
    maybe={"type": "string", "nullable": True},
    inner={"type": "object", "required": ["must"], "properties": {"must": {"type": "string"}}},
    either={
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    free={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
)

BAD: dict[str, tuple[JSON, str]] = {
    "short": (
        {"text": "a"},
        'spec.text: Invalid value: "a": spec.text in body should be at least 2 chars long',
    ),
    "long": ({"text": "abcde"}, "spec.text: Too long: may not be more than 4 bytes"),
    "pattern": (
        {"text": "AB"},
        "spec.text: Invalid value: \"AB\": spec.text in body should match '^[a-z]*$'",
    ),
    "low": (
        {"count": 0},
        "spec.count: Invalid value: 0: spec.count in body should be greater than or equal to 1",
    ),
    "high": (
        {"count": 9},
        "spec.count: Invalid value: 9: spec.count in body should be less than or equal to 5",
    ),
    "type": (
        {"count": "x"},
        'spec.count: Invalid value: "string": spec.count in body must be of type integer: "string"',
    ),
    "exclusive": ({"ratio": 1}, "spec.ratio: Invalid value: 1: spec.ratio in body should be less than 1"),
    "step": (
        {"ratio": 0.3},
        "spec.ratio: Invalid value: 0.3: spec.ratio in body should be a multiple of 0.25",
    ),
    "choice": ({"choice": "c"}, 'spec.choice: Unsupported value: "c": supported values: "a", "b"'),
    "format": (
        {"when": "soon"},
        'spec.when: Invalid value: "soon": spec.when in body must be of type date-time: "soon"',
    ),
    "int or string": (
        {"port": True},
        'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ),
    "many": ({"tags": ["a", "b", "c", "d"]}, "spec.tags: Too many: 4: must have at most 3 items"),
    "twice in a set": ({"tags": ["a", "a"]}, 'spec.tags[1]: Duplicate value: "a"'),
    "few": ({"parts": []}, "spec.parts: Invalid value: 0: spec.parts in body should have at least 1 items"),
    "twice in a map": (
        {"parts": [{"name": "a"}, {"name": "a", "size": 2}]},
        'spec.parts[1]: Duplicate value: {"name":"a"}',
    ),
    "missing": ({"inner": {}}, "spec.inner.must: Required value"),
    "properties": ({"labels": {"a": "b", "c": "d"}}, "spec.labels: Too many: 2: must have at most 1 item"),
    "a value of a map": (
        {"labels": {"a": 1}},
        'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"',
    ),
    "neither": (
        {"either": {}},
        '<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid',
    ),
    "both": (
        {"either": {"a": "x", "b": "y"}},
        '<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). '
        "Found 2 valid alternatives",
    ),
}


@pytest.fixture(scope="module")
def typed() -> Sea:
    sea = Sea()
    sea.ok("POST", CRDS, definition(version(openapi=TYPED)))
    return sea


@pytest.mark.parametrize(("spec", "said"), BAD.values(), ids=BAD)
def test_an_object_that_is_bad(typed: Sea, spec: JSON, said: str) -> None:
    assert typed.refused("POST", BOATS, boat("bad", spec=spec)) == (
        f'Boat.shop.example.com "bad" is invalid: {said}'
    )


def test_defaults_and_pruning(typed: Sea) -> None:
    spec = {
        "parts": [{"name": "a", "nope": 1}],
        "nope": 1,
        "maybe": None,
        "choice": None,
        "free": {"any": {"thing": None}},
        "port": "http",
    }
    assert typed.ok("POST", BOATS, boat("good", spec=spec))["spec"] == {
        "count": 2,
        "parts": [{"name": "a", "size": 1}],
        "maybe": None,
        "free": {"any": {"thing": None}},
        "port": "http",
    }
    assert 'unknown field "spec.nope"' in typed.refused(
        "POST", f"{BOATS}?fieldValidation=Strict", boat(spec={"nope": 1})
    )


def rules(*listed: JSON, **more: Any) -> JSON:
    properties = {
        "low": {"type": "integer"},
        "high": {"type": "integer"},
        "name": {"type": "string"},
        "at": {"type": "string", "format": "date-time"},
        "a-b": {"type": "string"},
        "namespace": {"type": "string"},
        "free": {"x-kubernetes-int-or-string": True},
        "tags": {
            "type": "array",
            "maxItems": 9,
            "items": {"type": "string"},
            "x-kubernetes-list-type": "set",
        },
        "many": {"type": "array", "maxItems": 1000, "items": {"type": "integer"}},
        **more,
    }
    return {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": properties, "x-kubernetes-validations": list(listed)}
        },
    }


RULES: dict[str, tuple[JSON, JSON, str]] = {
    "a message": (
        {"rule": "self.low < 3", "message": " too low "},
        {"low": 5},
        "spec: Invalid value: too low",
    ),
    "no message": ({"rule": "self.low < 3"}, {"low": 5}, "spec: Invalid value: failed rule: self.low < 3"),
    "a message expression": (
        {"rule": "self.low < 3", "messageExpression": "'found ' + self.name"},
        {"low": 5, "name": "x"},
        "spec: Invalid value: found x",
    ),
    "a message expression that fails": (
        {"rule": "self.low < 3", "messageExpression": "self.name", "message": "plain"},
        {"low": 5},
        "spec: Invalid value: plain",
    ),
    "a field and a reason": (
        {"rule": "false", "fieldPath": ".name", "reason": "FieldValueRequired", "message": "say it"},
        {"low": 5},
        "spec.name: Required value: say it",
    ),
    "an error": (
        {"rule": "self.high > 1"},
        {"low": 1},
        "spec: Invalid value: no such key: high evaluating rule: self.high > 1",
    ),
    "no overload": (
        {"rule": "self.free > 'a'"},
        {"free": 1},
        "spec: Invalid value: 'no such overload': call arguments did not match a supported operator, "
        "function or macro signature for rule: self.free > 'a'",
    ),
    "names that are escaped": (
        {"rule": "self.a__dash__b == self.__namespace__"},
        {"a-b": "x", "namespace": "y"},
        "spec: Invalid value: failed rule: self.a__dash__b == self.__namespace__",
    ),
    "times": (
        {"rule": "self.at.getFullYear() < 2000"},
        {"at": "2024-01-01T00:00:00Z"},
        "spec: Invalid value: failed rule: self.at.getFullYear() < 2000",
    ),
    "sets": (
        {"rule": "self.tags != ['b', 'a']"},
        {"tags": ["a", "b"]},
        "spec: Invalid value: failed rule: self.tags != ['b', 'a']",
    ),
    "too expensive": (
        {"rule": "self.many.all(x, self.many.all(y, true))"},
        {"many": list(range(1000))},
        "spec: Invalid value: 'operation cancelled: actual cost limit exceeded': "
        "no further validation rules will be run due to call cost exceeds limit for rule: "
        "self.many.all(x, self.many.all(y, true))",
    ),
}


@pytest.mark.parametrize(("rule", "spec", "said"), RULES.values(), ids=RULES)
def test_a_rule_that_does_not_hold(sea: Sea, rule: JSON, spec: JSON, said: str) -> None:
    sea.ok("POST", CRDS, definition(version(openapi=rules(rule))))
    assert sea.refused("POST", BOATS, boat(spec=spec)) == f'Boat.shop.example.com "ann" is invalid: {said}'


def test_rules_of_transitions(sea: Sea) -> None:
    listed = (
        {"rule": "self.low >= oldSelf.low", "message": "must not sink"},
        {
            "rule": "!oldSelf.hasValue() || self.name == oldSelf.value().name",
            "optionalOldSelf": True,
            "message": "named",
        },
    )
    sea.ok("POST", CRDS, definition(version(openapi=rules(*listed))))
    sea.ok("POST", BOATS, boat(spec={"low": 3, "name": "a"}))
    merge = "application/merge-patch+json"
    assert sea.refused("PATCH", f"{BOATS}/ann", {"spec": {"low": 2}}, merge).endswith("must not sink")
    assert sea.refused("PATCH", f"{BOATS}/ann", {"spec": {"name": "b"}}, merge).endswith("named")
    sea.ok("PATCH", f"{BOATS}/ann", {"spec": {"low": 4}}, merge)


def test_what_an_update_leaves_is_not_held_against_it(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition(version(openapi=rules())))
    sea.ok("POST", BOATS, boat(spec={"name": "x", "low": 1}))
    stricter = rules(name={"type": "string", "minLength": 3})
    crd = sea.ok("GET", f"{CRDS}/{NAME}")
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = stricter
    sea.ok("PUT", f"{CRDS}/{NAME}", crd)
    merge = "application/merge-patch+json"
    sea.ok("PATCH", f"{BOATS}/ann", {"spec": {"low": 2}}, merge)
    assert "at least 3 chars" in sea.refused("PATCH", f"{BOATS}/ann", {"spec": {"name": "yy"}}, merge)


def test_status_is_apart_and_generations_count(sea: Sea) -> None:
    openapi = schema(crew={"type": "integer"})
    openapi["properties"]["status"] = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
    sea.ok("POST", CRDS, definition(version(openapi=openapi, subresources={"status": {}})))
    made = sea.ok("POST", BOATS, boat(spec={"crew": 1}, status={"ready": True}))
    assert "status" not in made
    assert made["metadata"]["generation"] == 1
    merge = "application/merge-patch+json"
    assert (
        sea.ok("PATCH", f"{BOATS}/ann", {"metadata": {"labels": {"a": "b"}}}, merge)["metadata"]["generation"]
        == 1
    )
    assert sea.ok("PATCH", f"{BOATS}/ann", {"spec": {"crew": 2}}, merge)["metadata"]["generation"] == 2
    body = {"spec": {"crew": 9}, "status": {"ready": True}}
    found = sea.ok("PATCH", f"{BOATS}/ann/status", body, merge)
    assert (found["spec"], found["status"], found["metadata"]["generation"]) == (
        {"crew": 2},
        {"ready": True},
        2,
    )
    assert "status" in sea.ok("PATCH", f"{BOATS}/ann", {"spec": {"crew": 3}, "status": None}, merge)


SCALED = {
    "specReplicasPath": ".spec.crew",
    "statusReplicasPath": ".status.deck.crew",
    "labelSelectorPath": ".status.selector",
}
MERGE = "application/merge-patch+json"


def scaled(**more: Any) -> JSON:
    found = schema(crew={"x-kubernetes-preserve-unknown-fields": True}, sail={"type": "boolean"})
    found["properties"]["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return definition(version(openapi=found, subresources={"scale": SCALED, **more}))


KEEPS: JSON = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
CREW: JSON = {"properties": {"crew": {"type": "integer"}}}
KEPT: dict[str, tuple[JSON, JSON, JSON]] = {
    "beside the fields of the root": (
        {**KEEPS, "properties": {"spec": {"type": "object", **CREW}}},
        {"more": {"a": [1]}, "spec": {"crew": 1, "masts": 2}},
        {"more": {"a": [1]}, "spec": {"crew": 1}},
    ),
    "beside named fields": (
        schema(free={**KEEPS, "properties": {"inner": {"type": "object", **CREW}}}),
        {"spec": {"free": {"inner": {"crew": 1, "masts": 2}, "more": {"a": None}}}},
        {"spec": {"free": {"inner": {"crew": 1}, "more": {"a": None}}}},
    ),
    "in an embedded object": (
        schema(inner={"type": "object", "x-kubernetes-embedded-resource": True, **CREW}),
        {
            "spec": {
                "inner": {
                    "apiVersion": "v1",
                    "kind": "X",
                    "metadata": {"name": "x", "y": 1},
                    "crew": 1,
                    "z": 2,
                }
            }
        },
        {"spec": {"inner": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "crew": 1}}},
    ),
    "without a schema": (KEEPS, {"spec": {"a": 1}, "status": 7}, {"spec": {"a": 1}, "status": 7}),
}


@pytest.mark.parametrize(("openapi", "given", "kept"), KEPT.values(), ids=KEPT)
def test_what_is_kept_of_unknown_fields(sea: Sea, openapi: JSON, given: JSON, kept: JSON) -> None:
    sea.ok("POST", CRDS, definition(version(openapi=openapi)))
    found = sea.ok("POST", BOATS, boat(**given))
    assert {name: found[name] for name in found if name not in ("apiVersion", "kind", "metadata")} == kept


def test_finalizers_need_no_domain(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())

    def warned(method: str, path: str, *finalizers: str) -> list[str]:
        body = orjson.dumps({**boat("ark"), "metadata": {"name": "ark", "finalizers": list(finalizers)}})
        headers = {"content-type": "application/json", "accept": "application/json"}
        reply = sea.cluster.request(Request(method, path, [], headers, body, ADMIN))
        assert reply.status in (200, 201), reply.body
        return list(reply.warnings)

    said = (
        'metadata.finalizers: "moor": prefer a domain-qualified finalizer name including a path (/) to avoid '
        "accidental conflicts with other finalizer writers"
    )
    assert warned("POST", BOATS, "example.com/moor", "moor") == [said]
    assert warned("PUT", f"{BOATS}/ark", "moor") == []
    assert warned("PUT", f"{BOATS}/ark", "moor", "anchor") == [said.replace("moor", "anchor")]


def test_unknown_fields_are_owned(sea: Sea) -> None:
    sea.ok(
        "POST",
        CRDS,
        definition(version(openapi={**KEEPS, "properties": {"spec": {"type": "object", **CREW}}})),
    )
    mine = boat(more={"a": 1, "b": 2})
    apply = "application/apply-patch+yaml"
    sea.ok("PATCH", f"{BOATS}/ann?fieldManager=one", mine, apply)
    said = sea.refused("PATCH", f"{BOATS}/ann?fieldManager=two", boat(more={"a": 2}), apply)
    assert said.endswith('Apply failed with 1 conflict: conflict with "one": .more.a')
    assert sea.ok("PATCH", f"{BOATS}/ann?fieldManager=one", boat(more={"b": 2}), apply)["more"] == {"b": 2}


def test_scale(sea: Sea) -> None:
    sea.ok("POST", CRDS, scaled(status={}))
    sea.ok("POST", BOATS, boat(spec={"crew": 1}))
    found = sea.ok("GET", f"{BOATS}/ann/scale")
    assert (found["kind"], found["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (found["spec"], found["status"]) == ({"replicas": 1}, {"replicas": 0})
    found["spec"] = {"replicas": 3}
    assert sea.ok("PUT", f"{BOATS}/ann/scale", found)["spec"] == {"replicas": 3}
    assert sea.ok("GET", f"{BOATS}/ann")["metadata"]["generation"] == 2
    told = {"status": {"deck": {"crew": 2}, "selector": "boat=ann"}}
    sea.ok("PATCH", f"{BOATS}/ann/status", told, MERGE)
    found = sea.ok("PATCH", f"{BOATS}/ann/scale", {"spec": {"replicas": 4}}, MERGE)
    assert found["status"] == {"replicas": 2, "selector": "boat=ann"}
    found = sea.ok("GET", f"{BOATS}/ann")
    assert (found["spec"], found["status"]) == ({"crew": 4}, told["status"])
    assert sea.call("PUT", f"{BOATS}/ann/scale", {**found, "metadata": {"resourceVersion": "1"}})[0] >= 400
    listed = sea.ok("GET", "/apis/shop.example.com/v1")["resources"]
    assert [(one["name"], one["kind"]) for one in listed] == [
        ("boats", "Boat"),
        ("boats/scale", "Scale"),
        ("boats/status", "Boat"),
    ]


def test_scale_of_what_says_no_number(sea: Sea) -> None:
    sea.ok("POST", CRDS, scaled())
    sea.ok("POST", BOATS, boat())
    assert sea.call("GET", f"{BOATS}/ann/scale")[0] == 500
    assert 'the spec replicas field ".spec.crew" does not exist' in sea.refused("GET", f"{BOATS}/ann/scale")
    assert sea.refused("PATCH", f"{BOATS}/ann/scale", {}, MERGE) == (
        'the spec replicas field ".spec.crew" cannot be empty'
    )
    assert sea.ok("PATCH", f"{BOATS}/ann/scale", {"spec": {"replicas": 2}}, MERGE)["spec"] == {"replicas": 2}
    assert sea.ok("GET", f"{BOATS}/ann")["spec"] == {"crew": 2}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"spec": {"crew": -1}}, ".spec.crew: Invalid value: -1: should be a non-negative integer"),
        (
            {"spec": {"crew": 1 << 31}},
            ".spec.crew: Invalid value: 2147483648: should be less than or equal to 2147483647",
        ),
        (
            {"spec": {"crew": "x"}},
            ".spec.crew: Invalid value: 0: .spec.crew accessor error: x is of the type string, expected int64",
        ),
        (
            {"status": {"deck": 1}},
            ".status.deck.crew: Invalid value: 0: .status.deck.crew accessor error: 1 is of the type int64, "
            "expected map[string]interface{}",
        ),
        (
            {"status": {"selector": 1}},
            '.status.selector: Invalid value: "": .status.selector accessor error: 1 is of the type int64, '
            "expected string",
        ),
    ],
)
def test_what_a_scale_shows_is_checked(sea: Sea, body: JSON, text: str) -> None:
    sea.ok("POST", CRDS, scaled())
    assert sea.refused("POST", BOATS, boat(**body)) == f'Boat.shop.example.com "ann" is invalid: {text}'


def test_a_negative_scale(sea: Sea) -> None:
    sea.ok("POST", CRDS, scaled())
    sea.ok("POST", BOATS, boat(spec={"crew": 1}))
    assert sea.refused("PATCH", f"{BOATS}/ann/scale", {"spec": {"replicas": -1}}, MERGE) == (
        'Boat.shop.example.com "ann" is invalid: .spec.crew: Invalid value: -1: should be a non-negative integer'
    )


def test_a_stored_version_that_is_not_served(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition(version("v1", storage=False), version("v2", served=False)))
    sea.ok("POST", BOATS, boat(spec={"crew": 1}))
    assert sea.call("GET", BOATS.replace("v1", "v2"))[0] == 404
    assert sea.ok("GET", f"{BOATS}/ann")["spec"] == {"crew": 1}
    [group] = [one for one in sea.ok("GET", "/apis")["groups"] if one["name"] == "shop.example.com"]
    assert [one["version"] for one in group["versions"]] == ["v1"]


def test_no_version_served(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition(version(served=False)))
    assert sea.call("GET", BOATS)[0] == 404
    assert "shop.example.com" not in [one["name"] for one in sea.ok("GET", "/apis")["groups"]]
    sea.ok("DELETE", f"{CRDS}/{NAME}")
    assert sea.call("GET", f"{CRDS}/{NAME}")[0] == 404


def test_columns_short_names_and_selectable_fields(sea: Sea) -> None:
    printed = [
        {"name": "Crew", "type": "integer", "jsonPath": ".spec.crew"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Sail", "type": "boolean", "jsonPath": ".spec.sail", "priority": 1},
    ]
    openapi = schema(sail={"type": "boolean"}, crew={"type": "integer"})
    openapi["properties"]["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"shortNames": ["bt"], "categories": ["all"]}
    one = version(
        openapi=openapi, additionalPrinterColumns=printed, selectableFields=[{"jsonPath": ".spec.crew"}]
    )
    sea.ok("POST", CRDS, definition(one, names=names))
    conditions = [{"type": "Seen", "status": "False"}, {"type": "Ready", "status": "True"}]
    sea.ok("POST", BOATS, boat(spec={"crew": 3, "sail": True}, status={"conditions": conditions}))
    sea.ok("POST", BOATS, boat("bob", spec={"crew": 4}))
    headers = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    response = sea.cluster.request(Request("GET", BOATS, [], headers, b"", ADMIN))
    table = orjson.loads(response.body)
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Crew", "Ready", "Age", "Sail"]
    assert [row["cells"][:3] + row["cells"][4:] for row in table["rows"]] == [
        ["ann", 3, "True", True],
        ["bob", 4, None, None],
    ]
    listed = sea.ok("GET", f"{BOATS}?fieldSelector=spec.crew=4")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["bob"]
    [resource] = sea.ok("GET", "/apis/shop.example.com/v1")["resources"]
    assert (resource["shortNames"], resource["categories"]) == (["bt"], ["all"])


def test_versions(sea: Sea) -> None:
    old = version("v1beta1", storage=False, deprecated=True)
    sea.ok("POST", CRDS, definition(version(), old))
    beta = "/apis/shop.example.com/v1beta1/namespaces/default/boats"
    sea.ok("POST", beta, boat(version="v1beta1", spec={"crew": 1}))
    assert sea.ok("GET", f"{BOATS}/ann")["apiVersion"] == "shop.example.com/v1"
    crd = sea.ok("GET", f"{CRDS}/{NAME}")
    for one in crd["spec"]["versions"]:
        one["storage"] = one["name"] == "v1beta1"
    crd = sea.ok("PUT", f"{CRDS}/{NAME}", crd)
    assert crd["status"]["storedVersions"] == ["v1", "v1beta1"]
    assert sea.ok("GET", f"{BOATS}/ann")["apiVersion"] == "shop.example.com/v1"
    sea.ok("PATCH", f"{beta}/ann", {"spec": {"crew": 2}}, "application/merge-patch+json")
    assert sea.ok("GET", f"{BOATS}/ann")["spec"] == {"crew": 2}
    crd["spec"]["versions"] = crd["spec"]["versions"][1:]
    assert "v1 was previously a storage version" in sea.refused("PUT", f"{CRDS}/{NAME}", crd)


def test_a_definition_goes_with_its_objects(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    held = boat()
    held["metadata"]["finalizers"] = ["example.com/moor"]
    sea.ok("POST", BOATS, held)
    sea.ok("POST", BOATS, boat("bob"))
    sea.ok("DELETE", f"{CRDS}/{NAME}")
    conditions = sea.ok("GET", f"{CRDS}/{NAME}")["status"]["conditions"]
    assert [(c["status"], c["reason"]) for c in conditions if c["type"] == "Terminating"] == [
        ("True", "InstanceDeletionInProgress")
    ]
    assert sea.call("GET", f"{BOATS}/bob")[0] == 404
    assert sea.refused("POST", BOATS, boat("new")) == (
        'boats.shop.example.com "new" is forbidden: create not allowed while custom resource definition is terminating'
    )
    sea.ok("PATCH", f"{BOATS}/ann", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    assert sea.call("GET", f"{CRDS}/{NAME}")[0] == 404
    assert sea.call("GET", BOATS)[0] == 404
    sea.ok("POST", CRDS, definition())
    sea.ok("POST", BOATS, boat())


def test_the_same_in_forks_replays_and_keyframes(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition(version(openapi=rules({"rule": "self.low < 3"}))))
    sea.ok("POST", BOATS, boat(spec={"low": 1}))
    cluster = sea.cluster
    for twin in (
        cluster.fork(),
        Cluster.replay(cluster.journal),
        Cluster.resume(cluster.keyframe()),
        Cluster.restore(cluster.snapshot()),
    ):
        assert twin.state_hash() == cluster.state_hash()
        other = Sea(twin)
        assert other.refused("POST", BOATS, boat("bad", spec={"low": 5})).endswith(
            "failed rule: self.low < 3"
        )
        other.ok("POST", BOATS, boat("good", spec={"low": 2}))
        other.ok("DELETE", f"{CRDS}/{NAME}")
        assert other.call("GET", BOATS)[0] == 404
    assert [item["metadata"]["name"] for item in sea.ok("GET", BOATS)["items"]] == ["ann"]


def test_objects_go_with_their_namespace_and_their_owner(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    sea.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "bay"}})
    bay = BOATS.replace("default", "bay")
    sea.ok("POST", bay, boat())
    owner = sea.ok("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "owner"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    owned = boat("owned")
    owned["metadata"]["ownerReferences"] = [reference]
    sea.ok("POST", BOATS, owned)
    sea.ok("DELETE", "/api/v1/namespaces/bay")
    sea.ok("DELETE", "/api/v1/namespaces/default/configmaps/owner")
    assert sea.ok("GET", "/apis/shop.example.com/v1/boats")["items"] == []
