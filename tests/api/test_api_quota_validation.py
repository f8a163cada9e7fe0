"""LimitRanges and ResourceQuotas: what is refused, in Kubernetes' own words, and what is filled in."""

import pytest
from api_bench import created, load, merged, problems, updated

BASES = load("""
LimitRange:
  apiVersion: v1
  kind: LimitRange
  metadata: {name: bounds}
  spec: {limits: [{type: Container, max: {cpu: "1"}}]}
ResourceQuota:
  apiVersion: v1
  kind: ResourceQuota
  metadata: {name: budget}
  spec: {hard: {pods: "10"}}
""")
QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?"
    "[A-Za-z0-9]')"
)
MUST_EXIST = (
    "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def limits(item: str) -> str:
    return f"spec: {{limits: [{item}]}}"


def selector(term: str, hard: str = '{pods: "1"}') -> str:
    return f"spec: {{hard: {hard}, scopeSelector: {{matchExpressions: [{term}]}}}}"


# id: (kind, change, expected errors)
CREATES = {
    "default above max": (
        "LimitRange", limits('{type: Container, max: {cpu: 800m}, default: {cpu: "2"}, defaultRequest: {cpu: 1m}}'),
        ['spec.limits[0].default[cpu]: Invalid value: "800m": default value 2 is greater than max value 800m'],
    ),
    "a claim's range without storage, and a ratio of nothing": (
        "LimitRange", limits('{type: PersistentVolumeClaim, maxLimitRequestRatio: {disk: "2"}}'),
        ["spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was "
         "provided",
         'spec.limits[0].maxLimitRequestRatio[disk]: Invalid value: "disk": must be a standard resource type or fully '
         "qualified"],
    ),
    "a ratio above what min and max allow": (
        "LimitRange", limits('{type: Pod, min: {cpu: "1"}, max: {cpu: 1500m}, maxLimitRequestRatio: {cpu: 1600m}}'),
        ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "1600m": ratio 1600m is greater than max/min = '
         "1.500000"],
    ),
    "min above max": (
        "LimitRange", limits("{type: Pod, min: {memory: 2Gi}, max: {memory: 1Gi}}"),
        ['spec.limits[0].min[memory]: Invalid value: "2Gi": min value 2Gi is greater than max value 1Gi'],
    ),
    "default request above default": (
        "LimitRange", limits("{type: Container, default: {cpu: 1}, defaultRequest: {cpu: 2}}"),
        ["spec.limits[0].defaultRequest[cpu]: Invalid value: 2: "
         "default request value 2 is greater than default limit value 1"],
    ),
    "min above default request": (
        "LimitRange", limits('{type: Container, min: {cpu: "2"}, default: {cpu: "3"}, defaultRequest: {cpu: "1"}}'),
        ['spec.limits[0].defaultRequest[cpu]: Invalid value: "1": '
         "min value 2 is greater than default request value 1"],
    ),
    "default below min": (
        "LimitRange", limits('{type: Container, min: {cpu: "2"}, default: {cpu: "1"}, defaultRequest: {cpu: "2"}}'),
        ['spec.limits[0].defaultRequest[cpu]: Invalid value: "2": '
         "default request value 2 is greater than default limit value 1",
         'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1'],
    ),
    "defaults of Pods": (
        "LimitRange", limits('{type: Pod, default: {cpu: "1"}, defaultRequest: {cpu: "1"}}'),
        ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
         "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'"],
    ),
    "two of one type": (
        "LimitRange", limits('{type: Pod, max: {cpu: "1"}}, {type: Pod, min: {cpu: "1"}}'),
        ['spec.limits[1].type: Duplicate value: "Pod"'],
    ),
    "unknown type": (
        "LimitRange", limits('{type: Volume, max: {storage: "1"}}'),
        ['spec.limits[0].type: Invalid value: "Volume": must be a standard limit type or fully qualified'],
    ),
    "a type that is no name": (
        "LimitRange", limits('{type: a b, max: {storage: "1"}}'),
        [f'spec.limits[0].type: Invalid value: "a b": name part {QUALIFIED}'],
    ),
    "claims without storage": (
        "LimitRange", limits('{type: PersistentVolumeClaim, maxLimitRequestRatio: {storage: "2"}}'),
        ["spec.limits[0].limits: Required value: "
         "either minimum or maximum storage value is required, but neither was provided"],
    ),
    "storage of containers": (
        "LimitRange", limits("{type: Container, max: {storage: 1Gi}, default: {storage: 1Gi}, "
                             "defaultRequest: {storage: 1Gi}}"),
        [f'spec.limits[0].{part}[storage]: Invalid value: "storage": must be a standard resource for containers'
         for part in ("max", "default", "defaultRequest")],
    ),
    "ratio below one": (
        "LimitRange", limits("{type: Pod, maxLimitRequestRatio: {cpu: 500m}}"),
        ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
    ),
    "ratio that bounds forbid": (
        "LimitRange", limits('{type: Pod, min: {cpu: "1"}, max: {cpu: "2"}, maxLimitRequestRatio: {cpu: "10"}}'),
        ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "10": ratio 10 is greater than max/min = 2.000000'],
    ),
    "no overcommitment of devices": (
        "LimitRange",
        limits('{type: Container, default: {example.com/gpu: "2"}, defaultRequest: {example.com/gpu: "1"}}'),
        ['spec.limits[0].defaultRequest[example.com/gpu]: Invalid value: "1": '
         "default value 2 must equal to defaultRequest value 1 in example.com/gpu"],
    ),
    "quota of nonsense": (
        "ResourceQuota", 'spec: {hard: {widgets: "1"}}',
        ['spec.hard[widgets]: Invalid value: "widgets": must be a standard resource type or fully qualified',
         'spec.hard[widgets]: Invalid value: "widgets": must be a standard resource for quota'],
    ),
    "quota of storage": (
        "ResourceQuota", "spec: {hard: {storage: 1Gi}}",
        ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
    ),
    "quota of any kind": ("ResourceQuota", 'spec: {hard: {count/widgets.example.com: "1"}}', []),
    "negative": (
        "ResourceQuota", 'spec: {hard: {requests.cpu: "-1"}}',
        ['spec.hard[requests.cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "half a Pod": (
        "ResourceQuota", "spec: {hard: {pods: 500m}}",
        ['spec.hard[pods]: Invalid value: "500m": must be an integer'],
    ),
    "unknown scope": (
        "ResourceQuota", "spec: {scopes: [Cheap]}",
        ['spec.scopes: Invalid value: ["Cheap"]: unsupported scope'],
    ),
    "scope that has no such resource": (
        "ResourceQuota", 'spec: {hard: {requests.cpu: "1"}, scopes: [BestEffort]}',
        ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ),
    "scopes of nothing": (
        "ResourceQuota", "spec: {scopes: [BestEffort, NotBestEffort]}",
        ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
    ),
    "selector without values": (
        "ResourceQuota", selector("{scopeName: PriorityClass, operator: In}"),
        ["spec.scopeSelector.matchExpressions.values: Required value: "
         "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"],
    ),
    "selector with values": (
        "ResourceQuota", selector("{scopeName: PriorityClass, operator: Exists, values: [a]}"),
        ['spec.scopeSelector.matchExpressions.values: Invalid value: ["a"]: '
         "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"],
    ),
    "selector that only exists": (
        "ResourceQuota", selector("{scopeName: Terminating, operator: DoesNotExist}"),
        [f'spec.scopeSelector.matchExpressions.operator: Invalid value: "DoesNotExist": {MUST_EXIST}'],
    ),
    "selector operator": (
        "ResourceQuota", selector("{scopeName: PriorityClass, operator: Like}"),
        ['spec.scopeSelector.matchExpressions.operator: Invalid value: "Like": not a valid selector operator'],
    ),
    "selector scope": (
        "ResourceQuota", selector("{scopeName: Cheap, operator: Exists}"),
        ['spec.scopeSelector.matchExpressions.scopeName: Invalid value: "Cheap": unsupported scope'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BASES)
def test_the_base_is_fine(kind: str) -> None:
    assert problems(BASES[kind]) == []


@pytest.mark.parametrize(("kind", "change", "expected"), CREATES.values(), ids=CREATES.keys())
def test_create(kind: str, change: str, expected: list[str]) -> None:
    if kind == "ResourceQuota" and "hard" not in change:
        change = change.replace("spec: {", "spec: {hard: {}, ")
    assert problems(merged(BASES[kind], load(change))) == expected


def test_scopes_stay() -> None:
    old = created(BASES["ResourceQuota"])
    told = updated(old, merged(old, {"spec": {"scopes": ["Terminating"]}}))[1]
    assert told == ['spec.scopes: Invalid value: ["Terminating"]: field is immutable']


# id: (a range of containers, what it becomes)
FILLED = {
    "max is the default": (
        "{max: {cpu: 2}}", "{max: {cpu: 2}, default: {cpu: 2}, defaultRequest: {cpu: 2}}",
    ),
    "min is the default request": (
        "{min: {cpu: 1}}", "{min: {cpu: 1}, defaultRequest: {cpu: 1}}",
    ),
    "a limit is a request": (
        "{default: {cpu: 2}, min: {cpu: 1}}", "{default: {cpu: 2}, min: {cpu: 1}, defaultRequest: {cpu: 2}}",
    ),
    "what is given stays": (
        "{max: {cpu: 3}, default: {cpu: 2}, defaultRequest: {cpu: 1}}",
        "{max: {cpu: 3}, default: {cpu: 2}, defaultRequest: {cpu: 1}}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), FILLED.values(), ids=FILLED.keys())
def test_defaults_of_containers(given: str, expected: str) -> None:
    item = {"type": "Container", **load(given)}
    made = created({**BASES["LimitRange"], "spec": {"limits": [item]}})
    assert made["spec"]["limits"] == [{"type": "Container", **load(expected)}]


def test_a_ratio_is_compared_in_thousandths() -> None:
    item = load('{type: Pod, min: {cpu: "1"}, max: {cpu: 1600m}, maxLimitRequestRatio: {cpu: 1600m}}')
    assert problems(merged(BASES["LimitRange"], {"spec": {"limits": [item]}})) == []
