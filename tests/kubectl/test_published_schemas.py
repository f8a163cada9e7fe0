"""What a definition publishes, as kubectl reads it: validation before sending, and explain."""

from __future__ import annotations

import http.client
import json
import socket

import pytest
from kubectl_driver import Kubectl

pytestmark = pytest.mark.kubectl
FOO = {
    "type": "object",
    "description": "Foo CRD for Testing",
    "properties": {
        "spec": {
            "type": "object",
            "description": "Specification of Foo",
            "properties": {
                "bars": {
                    "description": "List of Bars and their specs.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"description": "Name of Bar.", "type": "string"},
                            "age": {"description": "Age of Bar.", "type": "string"},
                        },
                    },
                }
            },
        },
    },
}
KEEPS = {
    "x-kubernetes-preserve-unknown-fields": True,
    "type": "object",
    "description": "preserve-unknown-properties",
}


def define(kubectl: Kubectl, schema: dict[str, object]) -> str:
    """A definition with this schema of its own group; the group."""
    group = f"{kubectl.namespace}.example.com"
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": "foos", "kind": "Foo"},
        "versions": [version],
    }
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"foos.{group}"},
        "spec": spec,
    }
    kubectl("create", "-f", "-", stdin=json.dumps(crd))
    kubectl("wait", "--for=condition=Established", f"crd/foos.{group}")
    return group


def foo(group: str, **more: object) -> str:
    return json.dumps({"apiVersion": f"{group}/v1", "kind": "Foo", "metadata": {"name": "one"}, **more})


def lives(kubectl: Kubectl, group: str, **more: object) -> None:
    """It can be created, applied and deleted."""
    for verb in ("create", "apply"):
        kubectl(verb, "-f", "-", stdin=foo(group, **more))
        kubectl("delete", f"foos.{group}", "one")


def test_a_schema(kubectl: Kubectl) -> None:
    group = define(kubectl, FOO)
    lives(kubectl, group, spec={"bars": [{"name": "a", "age": "3"}]})
    for verb in ("create", "apply"):
        said = kubectl.fails(verb, "-f", "-", stdin=foo(group, spec={"foo": True}))
        assert 'strict decoding error: unknown field "spec.foo"' in said
        said = kubectl.fails(verb, "-f", "-", stdin=foo(group, spec={"bars": [{"age": "3"}]}))
        assert "spec.bars[0].name: Required value" in said
    assert "Foo CRD for Testing" in kubectl("explain", f"foos.{group}")
    assert "Specification of Foo" in kubectl("explain", f"foos.{group}.spec")
    assert "List of Bars and their specs." in kubectl("explain", f"foos.{group}.spec.bars")
    assert "Age of Bar." in kubectl("explain", f"foos.{group}.spec.bars.age")
    assert 'field "bars2" does not exist' in kubectl.fails("explain", f"foos.{group}.spec.bars2")


def test_no_schema(kubectl: Kubectl) -> None:
    group = define(kubectl, {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    lives(kubectl, group, a={"b": [{"c": "d"}]})
    assert "DESCRIPTION:\n    <empty>\n" in kubectl("explain", f"foos.{group}")


def test_a_root_that_keeps_what_it_does_not_know(kubectl: Kubectl) -> None:
    group = define(kubectl, KEEPS)
    lives(kubectl, group, a={"b": [{"c": "d"}]})
    told = kubectl("explain", f"foos.{group}")
    assert "preserve-unknown-properties" in told
    assert "KIND:       Foo\n" in told


def test_an_embedded_object(kubectl: Kubectl) -> None:
    embedded = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "x-kubernetes-embedded-resource": True,
    }
    spec = {"type": "object", "description": "Specification", "properties": {"dummy": {"type": "string"}}}
    properties = {"spec": {**spec, "x-kubernetes-preserve-unknown-fields": True}, "embedded": embedded}
    group = define(kubectl, {"type": "object", "description": "nested", "properties": properties})
    inner = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "more": 1}
    lives(kubectl, group, spec={"b": [{"c": "d"}]}, embedded=inner)
    assert "nested" in kubectl("explain", f"foos.{group}")
    assert "dummy" in kubectl("explain", f"foos.{group}.spec")


def test_versions_of_the_api(kubectl: Kubectl) -> None:
    assert "v1" in kubectl("api-versions").splitlines()


def test_a_proxy_on_a_socket(kubectl: Kubectl) -> None:
    path = kubectl.home / "proxy.sock"
    with kubectl.popen("proxy", f"--unix-socket={path}") as proxy:
        try:
            assert proxy.stdout is not None
            assert proxy.stdout.readline().startswith("Starting to serve on ")
            line = http.client.HTTPConnection("localhost")
            line.sock = socket.socket(socket.AF_UNIX)
            line.sock.settimeout(60)
            line.sock.connect(str(path))
            line.request("GET", "/api/")
            assert "versions" in json.load(line.getresponse())
            line.close()
        finally:
            proxy.kill()
