"""Upstream's conformance suite, where it defines kinds of its own: each behaviour by its codename."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sea import BOATS, CRDS, NAME, Sea, boat, definition, schema, version

from cluster_engine.kube_apiserver import ADMIN, Request

JSON = dict[str, Any]
_AGGREGATED = "[sig-api-machinery] AggregatedDiscovery should support"
_PUBLISHED = "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin]"
_FIELDS = "[sig-api-machinery] FieldValidation should"
_POLICY = "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should"
KEEPING = {"x-kubernetes-preserve-unknown-fields": True}
ANYTHING = {"type": "object", **KEEPING}


@pytest.fixture
def sea() -> Sea:
    return Sea()


def other(plural: str, group: str = "shop.example.com", *versions: JSON) -> JSON:
    """One more definition."""
    made = definition(*versions, group=group, names={"plural": plural, "kind": plural.title()})
    return {**made, "metadata": {"name": f"{plural}.{group}"}}


def published(sea: Sea) -> set[str]:
    """The names of the custom kinds in OpenAPI v2; those of v3 must be the same."""
    definitions = sea.ok("GET", "/openapi/v2")["definitions"]
    found = {name for name in definitions if name.startswith("com.example.") and not name.endswith("List")}
    newer = set()
    for path in sea.ok("GET", "/openapi/v3")["paths"]:
        if "example.com/" in path:
            newer |= set(sea.ok("GET", f"/openapi/v3/{path}")["components"]["schemas"])
    assert {name for name in newer if name.startswith("com.example.") and not name.endswith("List")} == found
    return found


def discovered(sea: Sea) -> dict[str, list[str]]:
    """The resources of each version of each group in the aggregated document."""
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    reply = sea.cluster.request(Request("GET", "/apis", [], {"accept": accept}, b"", ADMIN))
    assert reply.headers["content-type"].startswith(accept)
    return {
        f"{group['metadata']['name']}/{each['version']}": [found["resource"] for found in each["resources"]]
        for group in orjson.loads(reply.body)["items"]
        for each in group["versions"]
    }


def of_a_new_kind_in_discovery(sea: Sea) -> None:
    assert "shop.example.com/v1" not in discovered(sea)
    sea.ok("POST", CRDS, definition())
    assert discovered(sea)["shop.example.com/v1"] == ["boats"]
    sea.ok("DELETE", f"{CRDS}/{NAME}")
    assert "shop.example.com/v1" not in discovered(sea)


def of_a_watch(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    watched = sea.cluster.request(Request("GET", BOATS, [("watch", "1")], {}, b"", ADMIN)).stream
    assert watched is not None
    sea.ok("POST", BOATS, boat("ann"))
    sea.ok("PATCH", f"{BOATS}/ann", {"spec": {"crew": 2}}, "application/merge-patch+json")
    sea.ok("POST", BOATS, boat("bob"))
    sea.ok("DELETE", f"{BOATS}/ann")
    told = [orjson.loads(line) for line in watched.take().splitlines()]
    assert [(each["type"], each["object"]["metadata"]["name"]) for each in told] == [
        ("ADDED", "ann"), ("MODIFIED", "ann"), ("ADDED", "bob"), ("DELETED", "ann"),
    ]  # fmt: skip


def of_groups(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    sea.ok("POST", CRDS, other("carts", "land.example.com"))
    assert published(sea) == {"com.example.shop.v1.Boat", "com.example.land.v1.Carts"}


def of_kinds(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    sea.ok("POST", CRDS, other("rafts"))
    assert published(sea) == {"com.example.shop.v1.Boat", "com.example.shop.v1.Rafts"}


def of_versions(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition(version(), version("v2", storage=False)))
    assert published(sea) == {"com.example.shop.v1.Boat", "com.example.shop.v2.Boat"}


def of_a_version_no_more_served(sea: Sea) -> None:
    of_versions(sea)
    crd = sea.ok("GET", f"{CRDS}/{NAME}")
    crd["spec"]["versions"][1]["served"] = False
    sea.ok("PUT", f"{CRDS}/{NAME}", crd)
    assert published(sea) == {"com.example.shop.v1.Boat"}


def of_a_version_renamed(sea: Sea) -> None:
    of_versions(sea)
    crd = sea.ok("GET", f"{CRDS}/{NAME}")
    crd["spec"]["versions"][1]["name"] = "v3"
    sea.ok("PUT", f"{CRDS}/{NAME}", crd)
    assert published(sea) == {"com.example.shop.v1.Boat", "com.example.shop.v3.Boat"}


STRICT = f"{BOATS}?fieldValidation=Strict"
APPLY = "application/apply-patch+yaml"


def strictly_applied(name: str) -> str:
    return f"{BOATS}/{name}?fieldManager=me&fieldValidation=Strict"


def of_fields_without_a_schema(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition(version(openapi=ANYTHING)))
    free = {"spec": {"anything": {"goes": 1}}, "more": "x"}
    assert sea.ok("POST", STRICT, boat(**free))["more"] == "x"
    assert sea.ok("PATCH", strictly_applied("bob"), boat("bob", **free), APPLY)["more"] == "x"


def of_fields_of_the_schema(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    assert sea.ok("POST", STRICT, boat(spec={"crew": 3}))["spec"] == {"crew": 3}
    assert sea.ok("PATCH", strictly_applied("bob"), boat("bob", spec={"crew": 3}), APPLY)["spec"] == {
        "crew": 3
    }


def of_fields_beside_the_schema(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition())
    bad = {"spec": {"crew": 3, "masts": 2}}
    said = 'strict decoding error: unknown field "spec.masts"'
    assert said in sea.refused("POST", STRICT, boat(**bad))
    assert ".spec.masts: field not declared in schema" in sea.refused(
        "PATCH", strictly_applied("bob"), boat("bob", **bad), APPLY
    )


def of_duplicates(sea: Sea) -> None:
    sea.ok("POST", CRDS, definition(version(openapi=schema(free=ANYTHING, crew={"type": "integer"}))))
    text = (
        b'{"apiVersion":"shop.example.com/v1","kind":"Boat","metadata":{"name":"ann"},'
        b'"spec":{"free":{"a":1,"a":2,"b":3},"crew":1,"crew":2}}'
    )
    query = [("fieldValidation", "Strict")]
    reply = sea.cluster.request(
        Request("POST", BOATS, query, {"content-type": "application/json"}, text, ADMIN)
    )
    said = orjson.loads(reply.body)["message"]
    assert reply.status == 400
    assert 'strict decoding error: duplicate field "spec.crew", duplicate field "spec.free.a"' in said


def of_metadata(sea: Sea) -> None:
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, **KEEPING}
    sea.ok("POST", CRDS, definition(version(openapi=schema(inner=embedded))))
    inner = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "unknownInner": "x"}}
    made = boat(spec={"inner": inner})
    made["metadata"]["unknownMeta"] = "y"
    said = sea.refused("POST", STRICT, made)
    assert 'unknown field "metadata.unknownMeta"' in said
    assert 'unknown field "spec.inner.metadata.unknownInner"' in said


DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
POLICIES = "/apis/admissionregistration.k8s.io/v1"


def deployment(name: str, replicas: int) -> JSON:
    box = {"name": "c", "image": "nginx:1.27"}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [box]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def bound(sea: Sea, **spec: Any) -> None:
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"]}
    matching = {"resourceRules": [{**rule, "resources": ["deployments"]}]}
    policy = {"metadata": {"name": "few"}, "spec": {"matchConstraints": matching, **spec}}
    sea.ok("POST", f"{POLICIES}/validatingadmissionpolicies", policy)
    binding = {"metadata": {"name": "few"}, "spec": {"policyName": "few", "validationActions": ["Deny"]}}
    sea.ok("POST", f"{POLICIES}/validatingadmissionpolicybindings", binding)


def of_a_policy(sea: Sea) -> None:
    bound(sea, validations=[{"expression": "object.spec.replicas <= 2", "message": "too many"}])
    sea.ok("POST", DEPLOYMENTS, deployment("good", 2))
    assert sea.refused("POST", DEPLOYMENTS, deployment("bad", 3)) == (
        "deployments.apps \"bad\" is forbidden: ValidatingAdmissionPolicy 'few' with binding 'few' denied request: "
        "too many"
    )


def of_a_policy_with_variables(sea: Sea) -> None:
    bound(
        sea,
        variables=[
            {"name": "replicas", "expression": "object.spec.replicas"},
            {"name": "oddReplicas", "expression": "variables.replicas % 2 == 1"},
        ],
        validations=[
            {"expression": "variables.replicas > 1"},
            {"expression": "variables.oddReplicas"},
        ],
    )
    sea.ok("POST", DEPLOYMENTS, deployment("good", 3))
    assert "failed expression: variables.oddReplicas" in sea.refused(
        "POST", DEPLOYMENTS, deployment("bad", 2)
    )
    assert "failed expression: variables.replicas > 1" in sea.refused(
        "POST", DEPLOYMENTS, deployment("bad", 1)
    )


BEHAVIOURS: dict[str, Callable[[Sea], None]] = {
    f"{_AGGREGATED} aggregated discovery interface for CRDs": of_a_new_kind_in_discovery,
    f"{_AGGREGATED} raw aggregated discovery request for CRDs": of_a_new_kind_in_discovery,
    "[sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin] CustomResourceDefinition Watch "
    "watch on custom resource definition objects": of_a_watch,
    f"{_PUBLISHED} works for multiple CRDs of different groups": of_groups,
    f"{_PUBLISHED} works for multiple CRDs of same group and version but different kinds": of_kinds,
    f"{_PUBLISHED} works for multiple CRDs of same group but different versions": of_versions,
    f"{_PUBLISHED} removes definition from spec when one version gets changed to not be served": (
        of_a_version_no_more_served
    ),
    f"{_PUBLISHED} updates the published spec when one version gets renamed": of_a_version_renamed,
    f"{_FIELDS} create/apply a CR with unknown fields for CRD with no validation schema": (
        of_fields_without_a_schema
    ),
    f"{_FIELDS} create/apply a valid CR for CRD with validation schema": of_fields_of_the_schema,
    f"{_FIELDS} create/apply an invalid CR with extra properties for CRD with validation schema": (
        of_fields_beside_the_schema
    ),
    f"{_FIELDS} detect duplicates in a CR when preserving unknown fields": of_duplicates,
    f"{_FIELDS} detect unknown metadata fields in both the root and embedded object of a CR": of_metadata,
    f"{_POLICY} validate against a Deployment": of_a_policy,
    f"{_POLICY} allow expressions to refer variables.": of_a_policy_with_variables,
}  # fmt: skip


@pytest.mark.parametrize("codename", BEHAVIOURS)
def test_behaviour(sea: Sea, codename: str) -> None:
    BEHAVIOURS[codename](sea)
