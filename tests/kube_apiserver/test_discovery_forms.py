"""The forms in which a client may ask for OpenAPI v2."""

from __future__ import annotations

import pytest
from apiserver_bench import Bench

PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
FORMS = [
    ("application/json", 200, "application/json"),
    ("*/*", 200, "application/json"),
    ("", 200, "application/json"),
    ("application/com.github.proto-openapi.spec.v2@v1.0+protobuf", 200, PROTOBUF),
    (f"text/html, {PROTOBUF};q=0.9", 200, PROTOBUF),
    ("text/html", 406, "text/plain; charset=utf-8"),
]


@pytest.mark.parametrize(("accept", "code", "form"), FORMS, ids=str)
def test_openapi_v2(bench: Bench, accept: str, code: int, form: str) -> None:
    response = bench.call("GET", "/openapi/v2", accept=accept)
    assert (response.status, response.headers["content-type"]) == (code, form)
    assert bool(response.body) == (code == 200)
