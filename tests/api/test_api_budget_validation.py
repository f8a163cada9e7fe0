"""PodDisruptionBudgets: what is refused, in Kubernetes' own words."""

import pytest
from api_bench import created, load, merged, problems, updated

BASE = load("""
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
""")
PERCENT = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
PERCENT += "regex used for validation is '[0-9]+%')"

# id: (change, expected errors)
CREATES = {
    "both bounds": (
        "spec: {maxUnavailable: 25%}",
        ['spec: Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"app":"web"}},"MaxUnavailable":"25%",'
         '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set'],
    ),
    "negative": (
        "spec: {minAvailable: -1}",
        ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "no percentage": (
        "spec: {minAvailable: half}", [f'spec.minAvailable: Invalid value: "half": {PERCENT}'],
    ),
    "too many": (
        "spec: {minAvailable: null, maxUnavailable: 101%}",
        ['spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ),
    "all": ("spec: {minAvailable: 100%}", []),
    "neither bound": ("spec: {minAvailable: null}", []),
    "no selector": ("spec: {selector: null}", []),
    "selector without values": (
        "spec: {selector: {matchExpressions: [{key: app, operator: In}]}}",
        ["spec.selector.matchExpressions[0].values: Required value: "
         "must be specified when `operator` is 'In' or 'NotIn'"],
    ),
    "selector operator": (
        "spec: {selector: {matchExpressions: [{key: app, operator: Is}]}}",
        ['spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator'],
    ),
    "eviction policy": (
        "spec: {unhealthyPodEvictionPolicy: Sometimes}",
        ['spec.unhealthyPodEvictionPolicy: Unsupported value: "Sometimes": '
         'supported values: "AlwaysAllow", "IfHealthyBudget"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CREATES.values(), ids=CREATES.keys())
def test_create(change: str, expected: list[str]) -> None:
    assert problems(merged(BASE, load(change))) == expected


def test_a_changed_spec_is_another_generation() -> None:
    old = created(BASE)
    assert old["metadata"]["generation"] == 1
    assert old["status"] == {
        "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
    }  # fmt: skip
    new, wrong = updated(old, merged(old, {"spec": {"minAvailable": 2}}))
    assert (new["metadata"]["generation"], new["status"], wrong) == (2, old["status"], [])
