"""`kubectl exec etcd-control-plane -- etcdctl get`: what the API server keeps."""

from __future__ import annotations

import json

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl


def etcdctl(kubectl: Kubectl, *words: str) -> str:
    return kubectl("exec", "-n", "kube-system", "etcd-control-plane", "--", "etcdctl", *words)


def test_keys_and_values(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "settings", "--from-literal=a=b")
    prefix = f"/registry/configmaps/{kubectl.namespace}/"
    keys = etcdctl(kubectl, "get", prefix, "--prefix", "--keys-only").split("\n\n")
    assert f"{prefix}settings" in keys
    certificates = ("--cacert=/etc/kubernetes/pki/etcd/ca.crt", "--endpoints", "https://127.0.0.1:2379")
    value = etcdctl(kubectl, *certificates, "get", f"{prefix}settings", "--print-value-only")
    assert json.loads(value)["data"] == {"a": "b"}
    assert etcdctl(kubectl, "get", "/registry/nothing") == ""
    assert "etcdctl version: " in etcdctl(kubectl, "version")


def test_what_it_does_not_do(kubectl: Kubectl) -> None:
    words = ("exec", "-n", "kube-system", "etcd-control-plane", "--", "etcdctl")
    told = kubectl.run(*words, "put", "a", "b")
    assert (told.returncode, told.stderr.splitlines()[0]) == (
        1,
        "Error: Drydock does not simulate etcdctl put (a real etcd has it); here are get, watch, endpoint status, "
        "endpoint health and version",
    )
    assert kubectl.run(*words, "get").returncode == 128
