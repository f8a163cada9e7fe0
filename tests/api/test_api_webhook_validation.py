"""Webhook configurations: defaults, and what is refused, in Kubernetes' own words."""

from __future__ import annotations

from typing import Any

import pytest
from api_bench import created, load, merged, problems, updated

JSON = dict[str, Any]
HOOK = load("""
name: a.hooks.example.com
admissionReviewVersions: [v1]
sideEffects: None
clientConfig: {service: {namespace: hooks, name: web}}
rules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
""")
KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def configuration(kind: str, *hooks: JSON) -> JSON:
    meta = {"name": "c"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": meta,
        "webhooks": list(hooks),
    }


SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
FORM = "; desired format: https://host[/path]"
URL = "webhooks[0].clientConfig.url: Invalid value"
PATH = "webhooks[0].clientConfig.service.path: Invalid value"
RULE = "webhooks[0].rules[0]"
# id: the change to the hook, what is said of it
WRONG: dict[str, tuple[str, list[str]]] = {
    "no name": ("name: ''", ["webhooks[0].name: Required value"]),
    "a name of two words": (
        "name: hooks.example",
        [
            'webhooks[0].name: Invalid value: "hooks.example": should be a domain with at least three segments '
            "separated by dots"
        ],
    ),
    "a name that is none": ("name: A.b.c", [f'webhooks[0].name: Invalid value: "A.b.c": {SUBDOMAIN}']),
    "no side effects": (
        "sideEffects: null", ["webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun"],
    ),
    "side effects": (
        "sideEffects: Some",
        ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    ),
    "a failure policy": (
        "failurePolicy: Retry",
        ['webhooks[0].failurePolicy: Unsupported value: "Retry": supported values: "Fail", "Ignore"'],
    ),
    "a match policy": (
        "matchPolicy: Some",
        ['webhooks[0].matchPolicy: Unsupported value: "Some": supported values: "Equivalent", "Exact"'],
    ),
    "too long": (
        "timeoutSeconds: 31",
        ["webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
    ),
    "too short": (
        "timeoutSeconds: 0",
        ["webhooks[0].timeoutSeconds: Invalid value: 0: the timeout value must be between 1 and 30 seconds"],
    ),
    "no versions": (
        "admissionReviewVersions: []",
        ["webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1"],
    ),
    "a version twice": (
        "admissionReviewVersions: [v1, v1]",
        ['webhooks[0].admissionReviewVersions[1]: Invalid value: "v1": duplicate version'],
    ),
    "no version that is known": (
        "admissionReviewVersions: [v2, '1']",
        [
            f'webhooks[0].admissionReviewVersions[1]: Invalid value: "1": {LABEL_1035}',
            'webhooks[0].admissionReviewVersions: Invalid value: ["v2","1"]: must include at least one of v1, v1beta1',
        ],
    ),
    "a selector": (
        "namespaceSelector: {matchExpressions: [{key: a, operator: In}]}",
        [
            "webhooks[0].namespaceSelector.matchExpressions[0].values: Required value: must be specified when "
            "`operator` is 'In' or 'NotIn'"
        ],
    ),
    "an object selector": (
        "objectSelector: {matchExpressions: [{key: a, operator: Like}]}",
        [
            'webhooks[0].objectSelector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector '
            "operator"
        ],
    ),
    "nobody to ask": (
        "clientConfig: {service: null}",
        ["webhooks[0].clientConfig: Required value: exactly one of url or service is required"],
    ),
    "two to ask": (
        "clientConfig: {url: 'https://a'}",
        ["webhooks[0].clientConfig: Required value: exactly one of url or service is required"],
    ),
    "a plain url": (
        "clientConfig: {service: null, url: 'http://a'}",
        [f"{URL}: \"http\": 'https' is the only allowed URL scheme{FORM}"],
    ),
    "a url without a host": (
        "clientConfig: {service: null, url: 'https:///x'}", [f'{URL}: "": host must be provided{FORM}'],
    ),
    "a url with more": (
        "clientConfig: {service: null, url: 'https://me@a/b?c=d#e'}",
        [
            f'{URL}: "me": user information is not permitted in the URL',
            f'{URL}: "e": fragments are not permitted in the URL',
            f'{URL}: "c=d": query parameters are not permitted in the URL',
        ],
    ),
    # Upstream has the two the wrong way round (kubernetes/kubernetes#141353).
    "no namespace": (
        "clientConfig: {service: {namespace: ''}}",
        ["webhooks[0].clientConfig.service.name: Required value: service name is required"],
    ),
    "no service": (
        "clientConfig: {service: {name: ''}}",
        ["webhooks[0].clientConfig.service.namespace: Required value: service namespace is required"],
    ),
    "a port": (
        "clientConfig: {service: {port: 65536}}",
        [
            "webhooks[0].clientConfig.service.port: Invalid value: 65536: port is not valid: must be between 1 and "
            "65535, inclusive"
        ],
    ),
    "a path without a slash": (
        "clientConfig: {service: {path: foo}}", [f"{PATH}: \"foo\": must start with a '/'"],
    ),
    "a path of two slashes": (
        "clientConfig: {service: {path: //}}", [f'{PATH}: "//": segment[0] may not be empty'],
    ),
    "a path with a hole": (
        "clientConfig: {service: {path: /a//b}}", [f'{PATH}: "/a//b": segment[1] may not be empty'],
    ),
    "a path in capitals": (
        "clientConfig: {service: {path: /A}}", [f'{PATH}: "/A": segment[0]: {SUBDOMAIN}'],
    ),
    "no operations": ("rules: [{operations: []}]", [f"{RULE}.operations: Required value"]),
    "an operation": (
        "rules: [{operations: [READ]}]",
        [
            f'{RULE}.operations[0]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", '
            '"UPDATE"'
        ],
    ),
    "all operations and one": (
        "rules: [{operations: ['*', CREATE]}]",
        [f"{RULE}.operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations"],
    ),
    "no groups": ("rules: [{apiGroups: []}]", [f"{RULE}.apiGroups: Required value"]),
    "all groups and one": (
        "rules: [{apiGroups: ['*', a]}]",
        [f"{RULE}.apiGroups: Invalid value: [\"*\",\"a\"]: if '*' is present, must not specify other API groups"],
    ),
    "no api versions": ("rules: [{apiVersions: []}]", [f"{RULE}.apiVersions: Required value"]),
    "an empty api version": ("rules: [{apiVersions: ['']}]", [f"{RULE}.apiVersions[0]: Required value"]),
    "all api versions and one": (
        "rules: [{apiVersions: ['*', v1]}]",
        [f"{RULE}.apiVersions: Invalid value: [\"*\",\"v1\"]: if '*' is present, must not specify other API versions"],
    ),
    "no resources": ("rules: [{resources: []}]", [f"{RULE}.resources: Required value"]),
    "an empty resource": ("rules: [{resources: ['']}]", [f"{RULE}.resources[0]: Required value"]),
    "all subresources and one": (
        "rules: [{resources: [a/*, a/b]}]",
        [f"{RULE}.resources[1]: Invalid value: \"a/b\": if 'a/*' is present, must not specify a/b"],
    ),
    "a subresource of all and of one": (
        "rules: [{resources: ['*/a', b/a]}]",
        [f"{RULE}.resources[1]: Invalid value: \"b/a\": if '*/a' is present, must not specify b/a"],
    ),
    "everything and more": (
        "rules: [{resources: ['*/*', a]}]",
        [f"{RULE}.resources: Invalid value: [\"*/*\",\"a\"]: if '*/*' is present, must not specify other resources"],
    ),
    "all resources and one": (
        "rules: [{resources: ['*', a]}]",
        [
            f"{RULE}.resources: Invalid value: [\"*\",\"a\"]: if '*' is present, must not specify other resources "
            "without subresources"
        ],
    ),
    "a scope": (
        "rules: [{scope: World}]",
        [f'{RULE}.scope: Unsupported value: "World": supported values: "*", "Cluster", "Namespaced"'],
    ),
    "a condition without a name": (
        "matchConditions: [{expression: 'true'}]", ["webhooks[0].matchConditions[0].name: Required value"],
    ),
    "a condition that is none": (
        "matchConditions: [{name: a, expression: '1'}]",
        ['webhooks[0].matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int'],
    ),
    "a condition twice": (
        "matchConditions: [{name: a, expression: 'true'}, {name: a, expression: 'false'}]",
        ['webhooks[0].matchConditions[1].name: Duplicate value: "a"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_a_webhook_that_is_wrong(kind: str, change: str, said: list[str]) -> None:
    hook = merged(HOOK, load(change))
    if "rules:" in change:
        hook["rules"] = [{**HOOK["rules"][0], **hook["rules"][0]}]
    assert problems(configuration(kind, hook)) == said


def test_a_name_twice() -> None:
    said = problems(configuration(KINDS[0], HOOK, HOOK))
    assert said == ['webhooks[1].name: Duplicate value: "a.hooks.example.com"']


def test_a_reinvocation() -> None:
    said = problems(configuration(KINDS[0], {**HOOK, "reinvocationPolicy": "Always"}))
    assert said == [
        'webhooks[0].reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"'
    ]


def test_generations_and_conditions_that_stay() -> None:
    made = created(configuration(KINDS[1], HOOK))
    assert made["metadata"]["generation"] == 1
    named, said = updated(made, {**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}})
    assert said == []
    assert named["metadata"]["generation"] == 1
    changed, said = updated(made, {**made, "webhooks": [{**made["webhooks"][0], "timeoutSeconds": 5}]})
    assert said == []
    assert changed["metadata"]["generation"] == 2
