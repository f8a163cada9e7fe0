"""The forms in which a client may ask for OpenAPI v2, and for what is served."""

from __future__ import annotations

import pytest
import yaml
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


YAML, XML = "application/yaml", "application/xml"
DOCUMENTS = [
    *((path, accept, code, form)
      for path in ("/api", "/apis", "/apis/apps", "/api/v1", "/apis/apps/v1")
      for accept, code, form in (
          ("application/json", 200, "application/json"), ("*/*", 200, "application/json"),
          ("", 200, "application/json"), (YAML, 200, YAML), (XML, 406, "application/json"),
          ("application/vnd.kubernetes.protobuf", 406, "application/json"),
          ("application/vnd.kubernetes.protobuf,application/json", 200, "application/json"),
      )),
    ("/version", XML, 200, "application/json"),
    ("/", XML, 200, "application/json"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "accept", "code", "form"), DOCUMENTS, ids=str)
def test_what_is_served(bench: Bench, path: str, accept: str, code: int, form: str) -> None:
    """As WriteObjectNegotiated; what upstream writes without asking is JSON for everybody."""
    response = bench.call("GET", path, accept=accept)
    assert (response.status, response.headers["content-type"]) == (code, form)
    if code == 200:
        value = yaml.safe_load(response.body)
        assert path in ("/", "/version") or value["kind"].startswith("API")
    else:
        assert b'"reason":"NotAcceptable"' in response.body
