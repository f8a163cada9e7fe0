"""Which form a client gets for its Accept header, and which forms of a body are taken.

The rows follow k8s.io/apiserver/pkg/endpoints/handlers/negotiation and response.go of 1.37.
"""

from __future__ import annotations

import base64

import orjson
import pytest
from apiserver_bench import MAPS, PODS, Bench, config_map, pod

from cluster_engine.kube_apiserver.negotiation import JSON_TYPE, YAML_TYPE, parse_accept

PROTOBUF = "application/vnd.kubernetes.protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
BETA = "application/json;as=Table;v=v1beta1;g=meta.k8s.io"
ONE = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
MANY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
NOTHING = "only the following media types are accepted: application/json, application/yaml"


# ---- the header ------------------------------------------------------------------------------------------

WAYS = {
    "json": ("application/json", [JSON_TYPE]),
    "yaml": ("application/yaml", [YAML_TYPE]),
    "anything": ("*/*", [JSON_TYPE, YAML_TYPE]),
    "a star alone": ("*", [JSON_TYPE, YAML_TYPE]),
    "any application": ("application/*", [JSON_TYPE, YAML_TYPE]),
    "protobuf alone": (PROTOBUF, []),
    "cbor alone": ("application/cbor", []),
    "protobuf first": (f"{PROTOBUF},application/json", [JSON_TYPE]),
    "a browser": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", [JSON_TYPE, YAML_TYPE]),
    "yaml is wanted more": ("application/json;q=0.5, application/yaml", [YAML_TYPE, JSON_TYPE]),
    "as they are named": ("application/yaml, application/json", [YAML_TYPE, JSON_TYPE]),
    "a name before a star": ("*/*, application/yaml", [YAML_TYPE, JSON_TYPE, YAML_TYPE]),
    "json refused": ("application/json;q=0, */*", [YAML_TYPE]),
    "all but json refused": ("*/*;q=0, application/json", [JSON_TYPE]),
    "all refused": ("*/*;q=0", []),
    "no number is none": ("application/json;q=high", []),
    "other names of yaml": ("text/yaml, application/x-yaml", []),
    "capitals": ("Application/JSON", []),
    "a watch": ("application/json;stream=watch", [JSON_TYPE]),
    "a watch in yaml": ("application/yaml;stream=watch", []),
    "another stream": ("application/json;stream=tail", []),
    "a version of the server": ("application/json;sv=v2", []),
    "what nobody knows": ("application/json;charset=utf-8", [JSON_TYPE]),
    "spaces": (" application/json ; q=0.3 ,  application/yaml ;q=0.4", [YAML_TYPE, JSON_TYPE]),
    "commas": (",,", []),
}


@pytest.mark.parametrize(("header", "ways"), WAYS.values(), ids=WAYS.keys())
def test_ways_to_answer(header: str, ways: list[str]) -> None:
    assert [accept.media for accept in parse_accept(header)] == ways


def test_clauses_past_the_limit_do_not_count() -> None:
    assert parse_accept("text/html," * 63 + "application/json")
    assert not parse_accept("text/html," * 64 + "application/json")


# ---- replies ---------------------------------------------------------------------------------------------

# Accept: what a list and one object are answered with (the kind and apiVersion, or the text of a 406).
FORMS = {
    "plain": ("application/json", "ConfigMapList v1", "ConfigMap v1"),
    "nothing asked": ("", "ConfigMapList v1", "ConfigMap v1"),
    "protobuf alone": (PROTOBUF, NOTHING, NOTHING),
    "cbor alone": ("application/cbor", NOTHING, NOTHING),
    "text": ("text/plain", NOTHING, NOTHING),
    "a table": (TABLE, "Table meta.k8s.io/v1", "Table meta.k8s.io/v1"),
    "an older table": (BETA, "Table meta.k8s.io/v1beta1", "Table meta.k8s.io/v1beta1"),
    "kubectl": (f"{TABLE},{BETA},application/json", "Table meta.k8s.io/v1", "Table meta.k8s.io/v1"),
    "protobuf or a table": (f"{PROTOBUF},{TABLE}", "Table meta.k8s.io/v1", "Table meta.k8s.io/v1"),
    "a table of nobody": (TABLE.replace("v=v1", "v=v2"), NOTHING, NOTHING),
    "a table of another group": (TABLE.replace("meta.k8s.io", "apps"), NOTHING, NOTHING),
    "a table without a version": ("application/json;as=Table", NOTHING, NOTHING),
    "a version alone": ("application/json;v=v1", NOTHING, NOTHING),
    "no such form": (TABLE.replace("Table", "Chair"), NOTHING, NOTHING),
    "no such form, or plain": (
        f"{TABLE.replace('Table', 'Chair')},application/json",
        "ConfigMapList v1",
        "ConfigMap v1",
    ),
    "metadata of one": (
        ONE,
        "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
        "PartialObjectMetadata meta.k8s.io/v1",
    ),
    "metadata of many": (
        MANY,
        "PartialObjectMetadataList meta.k8s.io/v1",
        "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
    ),
    "older metadata of one": (
        ONE.replace("v=v1", "v=v1beta1"),
        "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
        "PartialObjectMetadata meta.k8s.io/v1beta1",
    ),
    "the first form counts": (
        f"{ONE},application/json",
        "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
        "PartialObjectMetadata meta.k8s.io/v1",
    ),
}


@pytest.mark.parametrize(("accept", "many", "one"), FORMS.values(), ids=FORMS.keys())
def test_the_form_of_a_reply(bench: Bench, accept: str, many: str, one: str) -> None:
    bench.ok("POST", MAPS, config_map("a"))
    for path, expected in ((MAPS, many), (f"{MAPS}/a", one)):
        response = bench.call("GET", path, accept=accept)
        body = orjson.loads(response.body)
        assert response.headers["content-type"] == "application/json"
        if response.status == 200:
            assert f"{body['kind']} {body['apiVersion']}" == expected
        else:
            assert (response.status, body["reason"], body["message"]) == (406, "NotAcceptable", expected)


def test_go_names_of_kinds(bench: Bench) -> None:
    assert bench.error("GET", "/apis/apps/v1/deployments", accept=ONE)[2].endswith("(*apps.DeploymentList)")
    assert bench.error("GET", "/apis/rbac.authorization.k8s.io/v1/roles", accept=ONE)[2].endswith(
        "(*rbac.RoleList)"
    )


def test_rows_are_of_the_version_of_their_table(bench: Bench) -> None:
    bench.ok("POST", MAPS, config_map("a"))
    for accept, version in ((TABLE, "v1"), (BETA, "v1beta1")):
        row = bench.ok("GET", MAPS, accept=accept)["rows"][0]
        assert row["object"]["apiVersion"] == f"meta.k8s.io/{version}"
    metadata = bench.ok("GET", MAPS, accept=MANY.replace("v=v1", "v=v1beta1"))
    assert metadata["items"][0]["apiVersion"] == "meta.k8s.io/v1beta1"


def test_yaml_replies(bench: Bench) -> None:
    bench.ok("POST", MAPS, config_map("a", b="c"))
    one = bench.call("GET", f"{MAPS}/a", accept="application/yaml")
    assert one.headers["content-type"] == "application/yaml"
    assert one.body.startswith(b"apiVersion: v1\ndata:\n  b: c\n")
    assert bench.call("GET", MAPS, accept="application/yaml").body.startswith(b"apiVersion: v1\nitems:\n")
    shown = bench.call("GET", MAPS, accept=TABLE.replace("json", "yaml"))
    assert shown.body.startswith(b"apiVersion: meta.k8s.io/v1\ncolumnDefinitions:\n")
    gone = bench.call("GET", f"{MAPS}/x", accept="application/yaml")
    assert (gone.status, gone.body.startswith(b"apiVersion: v1\ncode: 404\n")) == (404, True)


def test_who_takes_no_answer_writes_nothing(bench: Bench) -> None:
    assert bench.error("POST", MAPS, config_map("a"), accept=PROTOBUF)[:2] == (406, "NotAcceptable")
    assert bench.error("GET", f"{MAPS}/a")[0] == 404


@pytest.mark.parametrize(
    ("agent", "pretty", "accept", "lines"),
    [
        pytest.param("curl/8", None, "*/*", True, id="curl"),
        pytest.param("Mozilla/5.0 (X11)", None, "*/*", True, id="a browser"),
        pytest.param("kubectl/v1.37.0", None, "*/*", False, id="a program"),
        pytest.param("curl/8", "false", "*/*", False, id="curl does not want it"),
        pytest.param("curl/8", "", "*/*", True, id="an empty wish is none"),
        pytest.param("curl/8", "yes", "*/*", False, id="no truth to Go"),
        pytest.param("kubectl/v1.37.0", "true", "*/*", True, id="asked in the query"),
        pytest.param("kubectl/v1.37.0", "T", "*/*", True, id="a truth to Go"),
        pytest.param("kubectl/v1.37.0", None, "application/json;pretty=1", True, id="asked in the header"),
        pytest.param("kubectl/v1.37.0", None, "application/json;pretty=true", False, id="only 1 there"),
    ],
)
def test_who_gets_lines(bench: Bench, agent: str, pretty: str | None, accept: str, lines: bool) -> None:
    bench.ok("POST", MAPS, config_map("a"))
    query = {} if pretty is None else {"pretty": pretty}
    for path in (MAPS, f"{MAPS}/a"):
        response = bench.call("GET", path, accept=accept, headers={"user-agent": agent}, **query)
        assert (b'\n  "kind": "ConfigMap' in response.body) == lines


@pytest.mark.parametrize(
    ("include", "keys"),
    [
        pytest.param("Metadata", ["kind", "apiVersion", "metadata"], id="metadata"),
        pytest.param("", ["kind", "apiVersion", "metadata"], id="by default"),
        pytest.param("None", None, id="none"),
        pytest.param("Object", ["apiVersion", "data", "kind", "metadata"], id="whole"),
    ],
)
def test_what_rows_hold(bench: Bench, include: str, keys: list[str] | None) -> None:
    bench.ok("POST", MAPS, config_map("a", b="c"))
    row = bench.ok("GET", MAPS, accept=TABLE, includeObject=include)["rows"][0]
    assert sorted(row.get("object") or ()) == sorted(keys or ())


@pytest.mark.parametrize("watch", ["0", "1"], ids=["list", "watch"])
def test_rows_of_what_nobody_knows(bench: Bench, watch: str) -> None:
    assert bench.error("GET", MAPS, accept=TABLE, includeObject="All", watch=watch) == (
        400,
        "BadRequest",
        "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', "
        "'Object', 'None', or empty",
    )


# ---- watches ---------------------------------------------------------------------------------------------

STREAMS = {
    "plain": ("application/json", "Pod v1"),
    "asked for": ("application/json;stream=watch", "Pod v1"),
    "client-go": (f"{PROTOBUF};stream=watch,application/json;stream=watch,application/json", "Pod v1"),
    "a table": (f"{TABLE};stream=watch", "Table meta.k8s.io/v1"),
    "an older table": (BETA, "Table meta.k8s.io/v1beta1"),
    "metadata": (ONE, "PartialObjectMetadata meta.k8s.io/v1"),
    "metadata of many": (MANY, "PartialObjectMetadata meta.k8s.io/v1"),
    "yaml": (
        "application/yaml",
        "only the following media types are accepted: application/json;stream=watch",
    ),
    "protobuf alone": (f"{PROTOBUF};stream=watch", NOTHING),
    "text": ("text/plain", NOTHING),
}


@pytest.mark.parametrize(("accept", "expected"), STREAMS.values(), ids=STREAMS.keys())
def test_the_form_of_a_watch(bench: Bench, accept: str, expected: str) -> None:
    bench.ok("POST", PODS, pod())
    response = bench.call("GET", PODS, accept=accept, watch="true")
    if response.stream is None:
        assert (response.status, expected.encode() in response.body) == (406, True)
        return
    told = orjson.loads(response.stream.take())
    assert response.headers["content-type"] == "application/json"
    assert (told["type"], f"{told['object']['kind']} {told['object']['apiVersion']}") == ("ADDED", expected)


# ---- bodies ----------------------------------------------------------------------------------------------

TAKEN = f"application/json, application/yaml, {PROTOBUF}"
UNKNOWN = "the body of the request was in an unknown format - accepted media types include: "
PATCHES = (
    "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
    "application/apply-patch+yaml"
)
MAP_IN_PROTOBUF = base64.b64decode(
    "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiIKEQoBYxIAGgAiACoAMgA4AEIAEgYKAWESAWISBQoBYxIAGgAiAA=="
)
BODIES = {
    "json": ("application/json", orjson.dumps(config_map("c", a="b")), 201),
    "no type is json": ("", orjson.dumps(config_map("c", a="b")), 201),
    "with parameters": ("application/json; charset=utf-8", orjson.dumps(config_map("c", a="b")), 201),
    "capitals": ("Application/JSON", orjson.dumps(config_map("c", a="b")), 201),
    "yaml": ("application/yaml", b"metadata: {name: c}\ndata: {a: b}\n", 201),
    "json is yaml": ("application/yaml", orjson.dumps(config_map("c", a="b")), 201),
    "protobuf": (PROTOBUF, MAP_IN_PROTOBUF, 201),
    "cbor": ("application/cbor", b"\xa0", 415),
    "text": ("text/plain", b"{}", 415),
    "other names of yaml": ("text/yaml", b"{}", 415),
    "a form": ("application/x-www-form-urlencoded", b"a=b", 415),
    "a patch": ("application/merge-patch+json", b"{}", 415),
}


@pytest.mark.parametrize(("content_type", "body", "code"), BODIES.values(), ids=BODIES.keys())
def test_bodies(bench: Bench, content_type: str, body: bytes, code: int) -> None:
    response = bench.call("POST", MAPS, body, content_type=content_type)
    told = orjson.loads(response.body)
    assert response.status == code
    if code == 201:
        assert (told["metadata"]["name"], told["data"]["a"]) == ("c", "b")
    else:
        assert (told["reason"], told["message"]) == ("UnsupportedMediaType", UNKNOWN + TAKEN)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/yaml", PROTOBUF, "application/apply-patch+cbor", "x/y"]
)
def test_bodies_of_patches(bench: Bench, content_type: str) -> None:
    bench.ok("POST", MAPS, config_map("c"))
    assert bench.error("PATCH", f"{MAPS}/c", {}, content_type=content_type) == (
        415,
        "UnsupportedMediaType",
        UNKNOWN + PATCHES,
    )
