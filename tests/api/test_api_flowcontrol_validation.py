"""FlowSchemas and PriorityLevelConfigurations: defaults, and what is refused, in Kubernetes' own words."""

from __future__ import annotations

import pytest
from api_bench import created, load, merged, problems, updated

BASES = load("""
FlowSchema:
  apiVersion: flowcontrol.apiserver.k8s.io/v1
  kind: FlowSchema
  metadata: {name: mine}
  spec:
    matchingPrecedence: 700
    priorityLevelConfiguration: {name: workload-low}
    rules:
    - subjects: [{kind: User, user: {name: jane}}]
      resourceRules: [{verbs: [get], apiGroups: [''], resources: [pods], namespaces: [default]}]
PriorityLevelConfiguration:
  apiVersion: flowcontrol.apiserver.k8s.io/v1
  kind: PriorityLevelConfiguration
  metadata: {name: mine}
  spec:
    type: Limited
    limited: {limitResponse: {type: Queue, queuing: {queues: 64, handSize: 6, queueLengthLimit: 50}}}
""")
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
RULE = "spec.rules[0]"
SUBJECT = f"{RULE}.subjects[0]"
RESOURCES, PATHS = f"{RULE}.resourceRules[0]", f"{RULE}.nonResourceRules[0]"
VERBS = 'supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"'


def ruled(subject: str = "{kind: User, user: {name: jane}}", resources: str = "", paths: str = "") -> str:
    """A change of the spec to one rule."""
    given = {"resourceRules": resources, "nonResourceRules": paths}
    parts = [f"{name}: [{text}]" for name, text in given.items() if text]
    return f"rules: [{{subjects: [{subject}], {', '.join(parts)}}}]"


def resource_rule(change: str) -> str:
    fields = {"verbs": "[get]", "apiGroups": "['']", "resources": "[pods]", "namespaces": "[default]"}
    name, _, value = change.partition(": ")
    return ruled(resources="{" + ", ".join(f"{k}: {v}" for k, v in {**fields, name: value}.items()) + "}")


def path_rule(urls: str, verbs: str = "[get]") -> str:
    return ruled(paths=f"{{verbs: {verbs}, nonResourceURLs: {urls}}}")


GOOD = "{verbs: [get], nonResourceURLs: [/healthz]}"
# id: the change to the spec, what is said of it
SCHEMAS: dict[str, tuple[str, list[str]]] = {
    "a negative precedence": (
        "matchingPrecedence: -1", ["spec.matchingPrecedence: Invalid value: -1: must be a positive value"],
    ),
    "too high a precedence": (
        "matchingPrecedence: 10001",
        ["spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"],
    ),
    "the precedence of another": (
        "matchingPrecedence: 1",
        ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
    ),
    "a method": (
        "distinguisherMethod: {type: ByName}",
        [
            'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByName"}: supported values: "ByNamespace", '
            '"ByUser"'
        ],
    ),
    "no level": (
        "priorityLevelConfiguration: {name: ''}",
        ["spec.priorityLevelConfiguration.name: Required value: must reference a priority level"],
    ),
    "a level's name": (
        "priorityLevelConfiguration: {name: A}",
        [f'spec.priorityLevelConfiguration.name: Invalid value: "A": {SUBDOMAIN}'],
    ),
    "no subjects": (
        "rules: [{nonResourceRules: [" + GOOD + "]}]",
        [f"{RULE}.subjects: Required value: subjects must contain at least one value"],
    ),
    "no rules": (
        ruled(), [f"{RULE}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"],
    ),
    "a kind of subject": (
        ruled("{kind: Role}", paths=GOOD),
        [f'{SUBJECT}.kind: Unsupported value: "Role": supported values: "Group", "ServiceAccount", "User"'],
    ),
    "no user": (
        ruled("{kind: User}", paths=GOOD),
        [f"{SUBJECT}.user: Required value: user is required when subject kind is 'User'"],
    ),
    "a user without a name": (
        ruled("{kind: User, user: {name: ''}}", paths=GOOD), [f"{SUBJECT}.user.name: Required value"],
    ),
    "no group": (
        ruled("{kind: Group}", paths=GOOD),
        [f"{SUBJECT}.group: Required value: group is required when subject kind is 'Group'"],
    ),
    "a group without a name": (
        ruled("{kind: Group, group: {name: ''}}", paths=GOOD), [f"{SUBJECT}.group.name: Required value"],
    ),
    "a user that is a group": (
        ruled("{kind: User, user: {name: a}, group: {name: b}}", paths=GOOD),
        [f"{SUBJECT}.group: Forbidden: group is forbidden when subject kind is not 'Group'"],
    ),
    "a user that is an account": (
        ruled("{kind: User, user: {name: a}, serviceAccount: {name: b, namespace: c}}", paths=GOOD),
        [f"{SUBJECT}.serviceAccount: Forbidden: serviceAccount is forbidden when subject kind is not 'ServiceAccount'"],
    ),
    "a group that is a user": (
        ruled("{kind: Group, group: {name: a}, user: {name: b}}", paths=GOOD),
        [f"{SUBJECT}.user: Forbidden: user is forbidden when subject kind is not 'User'"],
    ),
    "no account": (
        ruled("{kind: ServiceAccount}", paths=GOOD),
        [f"{SUBJECT}.serviceAccount: Required value: serviceAccount is required when subject kind is 'ServiceAccount'"],
    ),
    "an account without a name": (
        ruled("{kind: ServiceAccount, serviceAccount: {name: '', namespace: a}}", paths=GOOD),
        [f"{SUBJECT}.serviceAccount.name: Required value"],
    ),
    "an account's name": (
        ruled("{kind: ServiceAccount, serviceAccount: {name: A, namespace: a}}", paths=GOOD),
        [f'{SUBJECT}.serviceAccount.name: Invalid value: "A": {SUBDOMAIN}'],
    ),
    "an account without a namespace": (
        ruled("{kind: ServiceAccount, serviceAccount: {name: '*', namespace: ''}}", paths=GOOD),
        [f"{SUBJECT}.serviceAccount.namespace: Required value: must specify namespace for service account"],
    ),
    "an account's namespace": (
        ruled("{kind: ServiceAccount, serviceAccount: {name: '*', namespace: A}}", paths=GOOD),
        [f'{SUBJECT}.serviceAccount.namespace: Invalid value: "A": {LABEL}'],
    ),
    "no verbs": (
        resource_rule("verbs: []"), [f"{RESOURCES}.verbs: Required value: verbs must contain at least one value"],
    ),
    "all verbs and one": (
        resource_rule("verbs: ['*', get]"),
        [f"{RESOURCES}.verbs: Invalid value: [\"*\",\"get\"]: if '*' is present, must not specify other verbs"],
    ),
    "a verb": (
        resource_rule("verbs: [get, feed]"), [f'{RESOURCES}.verbs: Unsupported value: ["get","feed"]: {VERBS}'],
    ),
    "no groups": (
        resource_rule("apiGroups: []"),
        [f"{RESOURCES}.apiGroups: Required value: resource rules must supply at least one api group"],
    ),
    "all groups and one": (
        resource_rule("apiGroups: ['*', apps]"),
        [
            f"{RESOURCES}.apiGroups: Invalid value: [\"*\",\"apps\"]: if '*' is present, must not specify other api "
            "groups"
        ],
    ),
    "no resources": (
        resource_rule("resources: []"),
        [f"{RESOURCES}.resources: Required value: resource rules must supply at least one resource"],
    ),
    "all resources and one": (
        resource_rule("resources: ['*', pods]"),
        [
            f"{RESOURCES}.resources: Invalid value: [\"*\",\"pods\"]: if '*' is present, must not specify other "
            "resources"
        ],
    ),
    "no namespaces": (
        resource_rule("namespaces: []"),
        [
            f"{RESOURCES}.namespaces: Required value: resource rules that are not cluster scoped must supply at least "
            "one namespace"
        ],
    ),
    "all namespaces and one": (
        resource_rule("namespaces: ['*', a]"),
        [f"{RESOURCES}.namespaces: Invalid value: [\"*\",\"a\"]: if '*' is present, must not specify other namespaces"],
    ),
    "a namespace": (
        resource_rule("namespaces: [A]"),
        [
            f"{RESOURCES}.namespaces[0]: Invalid value: \"A\": each member of this list must be '*' or a DNS-1123 "
            f"label; {LABEL}"
        ],
    ),
    "no verbs of paths": (
        path_rule("[/]", "[]"), [f"{PATHS}.verbs: Required value: verbs must contain at least one value"],
    ),
    "no paths": (
        path_rule("[]"),
        [f"{PATHS}.nonResourceURLs: Required value: nonResourceURLs must contain at least one value"],
    ),
    "all paths and one": (
        path_rule("['*', /a]"),
        [
            f"{PATHS}.nonResourceURLs: Invalid value: [\"*\",\"/a\"]: if '*' is present, must not specify other "
            "non-resource URLs"
        ],
    ),
    "paths": (
        path_rule("['', a, '/a b', /a//b, /a*, '/*/*', /, '/a/*']"),
        [
            f'{PATHS}.nonResourceURLs[0]: Invalid value: "": must not be empty',
            f'{PATHS}.nonResourceURLs[1]: Invalid value: "a": must start with slash',
            f'{PATHS}.nonResourceURLs[2]: Invalid value: "/a b": must not contain white-space',
            f'{PATHS}.nonResourceURLs[3]: Invalid value: "/a//b": must not contain double slash',
            f'{PATHS}.nonResourceURLs[4]: Invalid value: "/a*": wildcard can only do suffix matching',
            f'{PATHS}.nonResourceURLs[5]: Invalid value: "/*/*": wildcard can only do suffix matching',
        ],
    ),
}  # fmt: skip
QUEUING = "spec.limited.limitResponse.queuing"


def queuing(change: str) -> str:
    return f"limited: {{limitResponse: {{queuing: {{{change}}}}}}}"


LEVELS: dict[str, tuple[str, list[str]]] = {
    "a type": (
        "type: Some", ['spec.type: Unsupported value: "Some": supported values: "Exempt", "Limited"'],
    ),
    "exempt under another name": (
        "{type: Exempt, limited: null}",
        ["spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"],
    ),
    "limited and exempt": (
        "exempt: {}", ["spec.exempt: Forbidden: must be nil if the type is Limited"],
    ),
    "nothing of the limit": (
        "limited: null", ["spec.limited: Required value: must not be empty when type is Limited"],
    ),
    "negative shares": (
        "limited: {nominalConcurrencyShares: -1}",
        ["spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer"],
    ),
    "more than all is lent": (
        "limited: {lendablePercent: 101}",
        ["spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"],
    ),
    "a negative limit of what is borrowed": (
        "limited: {borrowingLimitPercent: -1}",
        ["spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer"],
    ),
    "a response": (
        "limited: {limitResponse: {type: Wait, queuing: null}}",
        ['spec.limited.limitResponse.type: Unsupported value: "Wait": supported values: "Queue", "Reject"'],
    ),
    "queues of who refuses": (
        "limited: {limitResponse: {type: Reject}}",
        [f"{QUEUING}: Forbidden: must be nil if limited.limitResponse.type is not Limited"],
    ),
    "no queues": (
        "limited: {limitResponse: {queuing: null}}",
        [f"{QUEUING}: Required value: must not be empty if limited.limitResponse.type is Limited"],
    ),
    "negative queues": (
        queuing("queues: -1, handSize: -1, queueLengthLimit: -1"),
        [
            f"{QUEUING}.queueLengthLimit: Invalid value: -1: must be positive",
            f"{QUEUING}.queues: Invalid value: -1: must be positive",
            f"{QUEUING}.handSize: Invalid value: -1: must be positive",
        ],
    ),
    "too many queues": (
        queuing("queues: 10000001, handSize: 2"),
        [f"{QUEUING}.queues: Invalid value: 10000001: must not be greater than 10000000"],
    ),
    "a hand of more than there is": (
        queuing("queues: 7, handSize: 8"),
        [f"{QUEUING}.handSize: Invalid value: 8: should not be greater than queues (7)"],
    ),
    "more entropy than there is": (
        queuing("queues: 512, handSize: 8"),
        [
            f"{QUEUING}.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be "
            "greater than 60"
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_that_is_wrong(change: str, said: list[str]) -> None:
    assert problems(merged(BASES["FlowSchema"], {"spec": load(change)})) == said


@pytest.mark.parametrize(("change", "said"), LEVELS.values(), ids=LEVELS)
def test_a_level_that_is_wrong(change: str, said: list[str]) -> None:
    assert problems(merged(BASES["PriorityLevelConfiguration"], {"spec": load(change)})) == said


# the spec, what it becomes
DEFAULTED = {
    "no precedence": ("FlowSchema", "matchingPrecedence: null", "matchingPrecedence: 1000"),
    "precedence 0": ("FlowSchema", "matchingPrecedence: 0", "matchingPrecedence: 1000"),
    "shares": (
        "PriorityLevelConfiguration", "limited: {}", "limited: {nominalConcurrencyShares: 30, lendablePercent: 0}",
    ),
    "no shares": (
        "PriorityLevelConfiguration", "limited: {nominalConcurrencyShares: 0}",
        "limited: {nominalConcurrencyShares: 0, lendablePercent: 0}",
    ),
    "queues": (
        "PriorityLevelConfiguration",
        queuing("queues: null, handSize: null, queueLengthLimit: null"),
        queuing("queues: 64, handSize: 8, queueLengthLimit: 50"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "made"), DEFAULTED.values(), ids=DEFAULTED)
def test_defaults(kind: str, given: str, made: str) -> None:
    spec = created(merged(BASES[kind], {"spec": load(given)}))["spec"]
    assert merged(spec, load(made)) == spec


@pytest.mark.parametrize("kind", BASES)
def test_status_and_generations(kind: str) -> None:
    old = created({**BASES[kind], "status": {"conditions": [{"type": "a"}]}})
    assert (old["status"], old["metadata"]["generation"]) == ({}, 1)
    new, said = updated(old, {**old, "status": {"conditions": [{"type": "a"}]}})
    assert (new["status"], new["metadata"]["generation"], said) == ({}, 1, [])
