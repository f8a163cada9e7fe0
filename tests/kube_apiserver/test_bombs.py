"""Bombs: small requests that would cost much. Each is refused with a sentence, and before the memory is spent."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from apiserver_bench import DEPLOYMENTS, MAPS, PODS, Bench, config_map, pod

pytestmark = pytest.mark.slow

MEMORY = 50 * 1024 * 1024
MIB = 1024 * 1024
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
YAML, PROTOBUF = "application/yaml", "application/vnd.kubernetes.protobuf"

MAP_HEAD = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},'
YAML_HEAD = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def laughs(levels: int, width: int) -> bytes:
    """Aliases of aliases: width to the power of levels values."""
    lines = [b"a0: &a0 [x]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]".encode())
    return YAML_HEAD + b"\n".join(lines)


def merges(levels: int) -> bytes:
    """The same with merge keys."""
    lines = [b"m0: &m0 {" + b", ".join(b"k%d: v" % n for n in range(500)) + b"}"]
    for level in range(1, levels):
        lines.append(b"m%d: &m%d {<<: [%s]}" % (level, level, b", ".join([b"*m%d" % (level - 1)] * 300)))
    return YAML_HEAD + b"\n".join(lines)


def nested_message(depth: int) -> bytes:
    """A protobuf Pod whose managed fields are a message in a message in a message…"""
    raw = b""
    for _ in range(depth):
        raw = b"\x0a" + varint(len(raw)) + raw
    head = b"\x0a\x09\x0a\x02v1\x12\x03Pod"
    return b"k8s\x00" + head + b"\x12" + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def operations(count: int, **operation: Any) -> bytes:
    return orjson.dumps([operation or {"op": "add", "path": "/data/a", "value": "b"}] * count)


TOO_LARGE = "limit is 3145728"
DEEP = "exceeded max depth"
CASES: dict[str, tuple[Callable[[], dict[str, Any]], int, str]] = {
    "YAML aliases": (
        lambda: {"method": "POST", "path": MAPS, "body": laughs(12, 10), "content_type": YAML},
        400,
        "excessive aliasing",
    ),
    "YAML aliases in apply": (
        lambda: {"method": "PATCH", "path": f"{MAPS}/a", "body": laughs(12, 10), "content_type": APPLY},
        400,
        "excessive aliasing",
    ),
    "YAML merge keys": (
        lambda: {"method": "POST", "path": MAPS, "body": merges(6), "content_type": YAML},
        400,
        "excessive aliasing",
    ),
    "YAML alias of itself": (
        lambda: {"method": "POST", "path": MAPS, "body": YAML_HEAD + b"data: &a {b: *a}", "content_type": YAML},
        400,
        "contains itself",
    ),
    "YAML 1,000 deep": (
        lambda: {"method": "POST", "path": MAPS, "body": YAML_HEAD + b"a: " + b"[" * 1000, "content_type": YAML},
        400,
        DEEP,
    ),
    "JSON lists 1,000 deep": (
        lambda: {"method": "POST", "path": MAPS, "body": MAP_HEAD + b'"a":' + b"[" * 1000 + b"]" * 1000 + b"}"},
        400,
        DEEP,
    ),
    "JSON objects 1,000 deep": (
        lambda: {"method": "POST", "path": MAPS, "body": MAP_HEAD + b'"a":' + b'{"a":' * 1000 + b"1" + b"}" * 1001},
        400,
        DEEP,
    ),
    "1,000,000 empty objects": (
        lambda: {"method": "POST", "path": MAPS, "body": MAP_HEAD + b'"a":[' + b"{}," * 1_000_000 + b"{}]}"},
        400,
        "the body holds more than 150000 objects and lists",
    ),
    "1,400,000 numbers": (
        lambda: {"method": "POST", "path": MAPS, "body": MAP_HEAD + b'"data":[' + b"1," * 1_400_000 + b"1]}"},
        400,
        "a list has 1400001 entries, the limit is 100000",
    ),
    "JSON 1,000,000 deep": (
        lambda: {"method": "POST", "path": MAPS, "body": MAP_HEAD + b'"a":' + b"[" * 1_000_000},
        400,
        "",
    ),
    "merge patch 1,000 deep": (
        lambda: {"method": "PATCH", "path": f"{MAPS}/a", "body": b'{"a":' * 1000 + b"1" + b"}" * 1000,
                 "content_type": MERGE_PATCH},
        400,
        DEEP,
    ),
    "JSON patch makes depth": (
        lambda: {"method": "PATCH", "path": f"{MAPS}/a", "content_type": JSON_PATCH,
                 "body": orjson.dumps([{"op": "copy", "from": "/data", "path": "/data/a"}] * 200)},
        422,
        "",
    ),
    "JSON patch doubles": (
        lambda: {"method": "PATCH", "path": f"{MAPS}/a", "content_type": JSON_PATCH,
                 "body": orjson.dumps([{"op": "copy", "from": "/data", "path": f"/data/{n}"} for n in range(60)])},
        422,
        "",
    ),
    "body of 3 MiB and a byte": (
        lambda: {"method": "POST", "path": MAPS, "body": b" " * (3 * MIB + 1)},
        413,
        TOO_LARGE,
    ),
    "delete with a body of 4 MiB": (
        lambda: {"method": "DELETE", "path": f"{MAPS}/a", "body": b"x" * (4 * MIB)},
        413,
        TOO_LARGE,
    ),
    "an object of 2 MiB": (
        lambda: {"method": "POST", "path": PODS,
                 "body": pod("a", containers=[{"name": "a", "image": "b", "args": ["x" * 150] * 13_000}])},
        413,
        "etcdserver: request is too large",
    ),
    "10,001 operations": (
        lambda: {"method": "PATCH", "path": f"{MAPS}/a", "body": operations(10_001), "content_type": JSON_PATCH},
        413,
        "The allowed maximum operations in a JSON patch is 10000, got 10001",
    ),
    "a label selector of 1 MiB": (
        lambda: {"method": "GET", "path": MAPS, "labelSelector": ",".join(["a=b"] * 260_000)},
        400,
        "",
    ),
    "a label selector of one value": (
        lambda: {"method": "GET", "path": MAPS, "labelSelector": "a=" + "b" * MIB},
        400,
        "selector is longer than 65536 characters",
    ),
    "a label selector of parentheses": (
        lambda: {"method": "GET", "path": MAPS, "labelSelector": "a in " + "(" * MIB},
        400,
        "unable to parse requirement",
    ),
    "a field selector of 1 MiB": (
        lambda: {"method": "GET", "path": MAPS, "fieldSelector": ",".join(["a=b"] * 260_000)},
        400,
        "",
    ),
    "a selector of 100,000 values": (
        lambda: {"method": "POST", "path": DEPLOYMENTS, "body": {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {
                "selector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b c"] * 100_000}]},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]},
            }}},
        400,
        "has 100000 entries, the limit is 20000",
    ),
    "an integer of 1,000,000 digits": (
        lambda: {"method": "POST", "path": MAPS, "body": MAP_HEAD + b'"immutable":' + b"9" * 1_000_000 + b"}"},
        400,
        "",
    ),
    "an integer of 1,000,000 digits in YAML": (
        lambda: {"method": "POST", "path": MAPS, "body": YAML_HEAD + b"immutable: " + b"9" * 1_000_000,
                 "content_type": YAML},
        400,
        "",
    ),
    "a version of 1,000,000 digits": (
        lambda: {"method": "GET", "path": MAPS, "resourceVersion": "9" * 1_000_000},
        422,
        "resourceVersion",
    ),
    "a quantity of 1,000,000 digits": (
        lambda: {"method": "POST", "path": PODS, "body": pod("a", containers=[
            {"name": "a", "image": "b", "resources": {"limits": {"cpu": "9" * 1_000_000}}}])},
        400,
        "",
    ),
    "a quantity's exponent": (
        lambda: {"method": "POST", "path": PODS, "body": pod("a", containers=[
            {"name": "a", "image": "b", "resources": {"limits": {"cpu": "1e999999999"}}}])},
        400,
        "",
    ),
    "100,000 unknown fields": (
        lambda: {"method": "POST", "path": MAPS, "fieldValidation": "Strict",
                 "body": {**config_map("a"), **{f"k{n}": n for n in range(100_000)}}},
        400,
        "an object has 100004 entries, the limit is 20000",
    ),
    "15,000 unknown fields": (
        lambda: {"method": "POST", "path": MAPS, "fieldValidation": "Strict",
                 "body": {**config_map("a"), **{f"k{n}": n for n in range(15_000)}}},
        400,
        'unknown field "k99"',
    ),
    "100,000 labels": (
        lambda: {"method": "POST", "path": MAPS, "body": {
            **config_map("a"), "metadata": {"name": "a", "labels": {f"k {n}": "v" for n in range(100_000)}}}},
        400,
        "an object has 100000 entries, the limit is 20000",
    ),
    "100,000 keys twice": (
        lambda: {"method": "POST", "path": MAPS, "fieldValidation": "Strict",
                 "body": MAP_HEAD + b'"data":{' + b",".join([b'"a":"b"'] * 100_000) + b"}}"},
        400,
        "duplicate field",
    ),
    "120,000 keys, each twice": (
        lambda: {"method": "POST", "path": MAPS, "fieldValidation": "Strict",
                 "body": MAP_HEAD + b",".join([b'"%d":1' % n for n in range(120_000)] * 2) + b"}"},
        400,
        "entries, the limit is 20000",
    ),
    "19,000 keys, each many times": (
        lambda: {"method": "POST", "path": MAPS, "fieldValidation": "Strict",
                 "body": MAP_HEAD + b",".join([b'"%d":1' % n for n in range(19_000)] * 15) + b"}"},
        400,
        "duplicate field",
    ),
    "100,000 containers": (
        lambda: {"method": "POST", "path": PODS, "body": pod("a", containers=[{}] * 100_000)},
        400,
        "spec.containers has 100000 entries, the limit is 5000",
    ),
    "5,000 bad containers": (
        lambda: {"method": "POST", "path": PODS, "body": pod("a", containers=[{}] * 5_000)},
        422,
        "more]",
    ),
    "20,000 bad labels": (
        lambda: {"method": "POST", "path": MAPS, "body": {
            **config_map("a"), "metadata": {"name": "a", "labels": {f"k {n}": "v w" for n in range(20_000)}}}},
        422,
        "more]",
    ),
    "a name of 1 MiB": (
        lambda: {"method": "POST", "path": MAPS, "body": config_map("a" * MIB)},
        422,
        "must be no more than 253",
    ),
    "a name of 1 MiB in the path": (
        lambda: {"method": "GET", "path": f"{MAPS}/{'a' * MIB}"},
        404,
        "not found",
    ),
    "a generated name of 1 MiB": (
        lambda: {"method": "POST", "path": MAPS, "body": {**config_map(), "metadata": {"generateName": "A" * MIB}}},
        422,
        "",
    ),
    "a path of 1,000,000 steps": (
        lambda: {"method": "GET", "path": "/api/v1" + "/a" * 1_000_000},
        404,
        "",
    ),
    "a continue token of 1 MiB": (
        lambda: {"method": "GET", "path": MAPS, "continue": "a" * MIB},
        400,
        "continue key is not valid",
    ),
    "an Accept of 1 MiB": (
        lambda: {"method": "GET", "path": MAPS, "accept": "text/html," * 100_000},
        406,
        "only the following media types are accepted",
    ),
    "protobuf 10,000 deep": (
        lambda: {"method": "POST", "path": PODS, "body": nested_message(10_000), "content_type": PROTOBUF},
        400,
        "",
    ),
    "protobuf of 1,000,000 fields": (
        lambda: {"method": "POST", "path": PODS, "content_type": PROTOBUF,
                 "body": b"k8s\x00" + b"\x08\x01" * 1_000_000},
        400,
        "more than 60000 fields",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("bomb", "code", "text"), CASES.values(), ids=CASES.keys())
def test_refused(bench: Bench, bomb: Callable[[], dict[str, Any]], code: int, text: str) -> None:
    bench.ok("POST", MAPS, config_map("a", big="x" * 100_000))
    given = bomb()
    if isinstance(given.get("body"), dict):
        given["body"] = orjson.dumps(given["body"])
    given.setdefault("fieldManager", "bomber")
    tracemalloc.start()
    try:
        response = bench.call(given.pop("method"), given.pop("path"), given.pop("body", None), **given)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert response.status == code, response.body[:300]
    status = orjson.loads(response.body)
    assert status["message"]
    assert text in status["message"], status["message"][:300]
    assert peak < MEMORY, f"{peak / MIB:.0f} MiB"
    assert len(response.body) < 8 * MIB
