"""Older and newer versions of one thing, with the real kubectl."""

from __future__ import annotations

import pytest
from kubectl_driver import Kubectl, shape

pytestmark = pytest.mark.kubectl

AUTOSCALER = """\
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 5
  targetCPUUtilizationPercentage: 60
"""


def test_an_autoscaler_of_an_old_tutorial(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=AUTOSCALER)
    assert shape(kubectl("get", "hpa"))[1][:3] == ["web", "Deployment/web", "cpu: <unknown>/60%"]
    kubectl("apply", "-f", "-", stdin=AUTOSCALER.replace("60", "70"))
    read = "jsonpath={.apiVersion} {.spec.targetCPUUtilizationPercentage}{.spec.metrics[0].type}"
    assert kubectl("get", "horizontalpodautoscalers.v1.autoscaling", "web", "-o", read) == "autoscaling/v1 70"
    assert (
        kubectl("get", "horizontalpodautoscalers.v2.autoscaling", "web", "-o", read)
        == "autoscaling/v2 Resource"
    )
    assert "targetCPUUtilizationPercentage" in kubectl("explain", "hpa.spec", "--api-version=autoscaling/v1")


def test_events_in_both_groups(kubectl: Kubectl) -> None:
    kubectl("run", "web", "--image=nginx")
    kubectl("wait", "--for=condition=Ready", "pod/web")
    mine = "--field-selector=regarding.name=web,reason=Started"
    newer = kubectl("get", "events.v1.events.k8s.io", mine, "-o", "jsonpath={.items[0].note}")
    assert newer.startswith("Container started")
    core = "--field-selector=involvedObject.name=web,reason=Started"
    assert shape(kubectl("get", "events", core))[1][1:4] == ["Normal", "Started", "pod/web"]
    assert shape(kubectl("get", "events.v1.events.k8s.io", mine))[1][1:4] == ["Normal", "Started", "pod/web"]
