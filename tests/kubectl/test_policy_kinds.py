"""Quotas, ranges, budgets: what the real kubectl prints of them and what it is refused."""

from __future__ import annotations

import pytest
from kubectl_driver import Kubectl, shape

pytestmark = pytest.mark.kubectl

RANGE = """\
apiVersion: v1
kind: LimitRange
metadata: {name: bounds}
spec:
  limits:
  - {type: Container, default: {cpu: "2"}, defaultRequest: {cpu: "1"}, max: {memory: 1Gi}}
"""


def test_quotas(kubectl: Kubectl) -> None:
    assert (
        kubectl("create", "quota", "small", "--hard=pods=1,limits.cpu=5") == "resourcequota/small created\n"
    )
    kubectl("wait", "--for=jsonpath={.status.used.pods}=0", "resourcequota/small")
    assert shape(kubectl("get", "quota")) == [
        ["NAME", "REQUEST", "LIMIT", "AGE"],
        ["small", "pods: 0/1", "limits.cpu: 0/5", "<age>"],
    ]
    assert kubectl.fails("run", "a", "--image=nginx") == (
        'Error from server (Forbidden): pods "a" is forbidden: failed quota: small: must specify limits.cpu for: a\n'
    )
    kubectl("apply", "-f", "-", stdin=RANGE)
    kubectl("run", "a", "--image=nginx")
    assert kubectl.fails("run", "b", "--image=nginx") == (
        'Error from server (Forbidden): pods "b" is forbidden: exceeded quota: small, requested: pods=1, '
        "used: pods=1, limited: pods=1\n"
    )
    assert shape(kubectl("describe", "quota", "small"))[2:] == [
        ["Resource", "Used", "Hard"],
        ["--------", "----", "----"],
        ["limits.cpu", "2", "5"],
        ["pods", "1", "1"],
    ]


def test_limit_ranges(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=RANGE)
    assert shape(kubectl("get", "limits"))[0] == ["NAME", "CREATED AT"]
    told = shape(kubectl("describe", "limitrange", "bounds"))[2:]
    assert told[0] == [
        "Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio",
    ]  # fmt: skip
    assert sorted(told[2:]) == [
        ["Container", "cpu", "-", "-", "1", "2", "-"],
        ["Container", "memory", "-", "1Gi", "1Gi", "1Gi", "-"],
    ]
