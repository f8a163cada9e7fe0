"""Manifests of ``kind: List``, what was read put back, rights that are reconciled, and what anybody may read."""

from __future__ import annotations

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl
LIST = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: b}}
- {apiVersion: v1, kind: Secret, metadata: {name: two}}
"""
RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: %s}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: %s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, name: kim, apiGroup: rbac.authorization.k8s.io}]
"""


@pytest.mark.parametrize(
    ("command", "done"),
    [
        pytest.param(("create",), "created", id="create"),
        pytest.param(("apply",), "created", id="apply"),
        pytest.param(("apply", "--server-side"), "serverside-applied", id="server-side apply"),
    ],
)
def test_a_list_of_manifests(kubectl: Kubectl, command: tuple[str, ...], done: str) -> None:
    assert kubectl(*command, "-f", "-", stdin=LIST) == f"configmap/one {done}\nsecret/two {done}\n"


def test_what_was_read_is_put_back(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=LIST)
    read = kubectl("get", "configmap/one", "secret/two", "-o", "yaml")
    assert read.startswith("apiVersion: v1\nitems:\n")
    # What is remembered of the last apply has a revision and a uid now.
    assert kubectl("apply", "-f", "-", stdin=read) == "configmap/one configured\nsecret/two configured\n"


def test_a_kind_that_nobody_serves(kubectl: Kubectl) -> None:
    manifest = "apiVersion: nope/v1\nkind: Nope\nmetadata: {name: x}\n"
    assert kubectl.fails("apply", "-f", "-", stdin=manifest) == (
        'error: resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Nope" in '
        'version "nope/v1"\nensure CRDs are installed first\n'
    )


def test_rights_are_reconciled(kubectl: Kubectl) -> None:
    """What is there stays, what is missing comes."""
    rights = RIGHTS.replace("%s", kubectl.namespace)
    reconciled = "".join(
        f"{kind}.rbac.authorization.k8s.io/reader reconciled\n" for kind in ("role", "rolebinding")
    )
    for each in (rights, rights.replace("[get]", "[list]").replace("kim", "lee")):
        assert kubectl("auth", "reconcile", "-f", "-", stdin=each) == reconciled
    assert kubectl("get", "role", "reader", "-o", "jsonpath={.rules[*].verbs[*]}") == "get list"
    assert kubectl("get", "rolebinding", "reader", "-o", "jsonpath={.subjects[*].name}") == "kim lee"


def test_what_anybody_may_read(kubectl: Kubectl) -> None:
    """kubeadm lets those who join read where the cluster is, before anybody knows them."""
    nobody = ("-n", "kube-public", "--as=system:anonymous")
    assert kubectl("get", "configmap/cluster-info", "-o", "name", *nobody) == "configmap/cluster-info\n"
    assert "system:anonymous" in kubectl.fails("get", "configmaps", *nobody)
