"""What the real kubectl shows of the kinds that the API server works out itself."""

from __future__ import annotations

import pytest
from kubectl_driver import Kubectl, shape

pytestmark = pytest.mark.kubectl

# kind: (header, one row of it)
TABLES = {
    "cs": (["NAME", "STATUS", "MESSAGE", "ERROR"], ["scheduler", "Healthy", "ok"]),
    "apiservices": (["NAME", "SERVICE", "AVAILABLE", "AGE"], ["v1.apps", "Local", "True", "<age>"]),
    "ip": (["NAME", "PARENTREF"], ["<cluster-ip>", "services/default/kubernetes"]),
    "servicecidrs": (["NAME", "CIDRS", "AGE"], ["kubernetes", "<cluster-ip>/12", "<age>"]),
    "flowschemas": (
        ["NAME", "PRIORITYLEVEL", "MATCHINGPRECEDENCE", "DISTINGUISHERMETHOD", "AGE", "MISSINGPL"],
        ["system-nodes", "system", "500", "ByUser", "<age>", "False"],
    ),
    "prioritylevelconfigurations": (
        ["NAME", "TYPE", "NOMINALCONCURRENCYSHARES", "QUEUES", "HANDSIZE", "QUEUELENGTHLIMIT", "AGE"],
        ["system", "Limited", "30", "64", "6", "50", "<age>"],
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_get_describe_and_explain(kubectl: Kubectl, kind: str) -> None:
    header, row = TABLES[kind]
    shown = shape(kubectl("get", kind))
    assert shown[0] == header
    assert row in shown[1:]
    name = kubectl("get", kind, "-o", "jsonpath={.items[0].metadata.name}")
    assert kubectl("describe", kind, name).split("\n", 1)[0].split() == ["Name:", name]
    assert "FIELD" in kubectl("explain", f"{kind}.metadata.name")


def test_component_statuses_are_deprecated(kubectl: Kubectl) -> None:
    told = kubectl.run("get", "componentstatuses").stderr
    assert told == "Warning: v1 ComponentStatus is deprecated in v1.19+\n"


def test_what_the_api_server_makes_for_itself_is_written_too(kubectl: Kubectl) -> None:
    """It is the API server that makes it good, within a minute; what may not be another one is refused."""
    assert kubectl("delete", "flowschema", "probes").startswith(
        'flowschema.flowcontrol.apiserver.k8s.io "probes" deleted'
    )
    patch = '{"spec":{"matchingPrecedence":9000}}'
    told = kubectl.fails("patch", "flowschema", "catch-all", "-p", patch, "--type=merge")
    assert told.startswith(
        'The FlowSchema "catch-all" is invalid: spec: Invalid value: {"distinguisherMethod"'
    )
    assert told.endswith("}: spec of 'catch-all' must equal the fixed value\n")
    answer = kubectl.run("get", "--raw", "/version", "-v=8").stderr
    assert "X-Kubernetes-Pf-Flowschema-Uid" in answer
