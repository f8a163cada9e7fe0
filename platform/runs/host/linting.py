"""What the API server says to a file before it is applied: its objects are written to a fork, one after the other.

The run itself is not touched, and nothing of it is noted in the journal.
"""

from __future__ import annotations

import re
from typing import Any, NotRequired, TypedDict

import orjson

from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request, Response
from cluster_engine.release import release

DOCUMENTS = 40
"""Documents of a file that are looked at, the first ones."""
FINDINGS_TOLD = 40
"""Findings that are told of a file."""
MESSAGE = 600
"""Characters of a finding."""

_LINE = re.compile(r"yaml: line (\d+)")
_STRICT = re.compile(r'(?:unknown|duplicate) field "([^"]+)"')
_GO_FIELD = re.compile(r"into Go struct field \w+\.([\w.]+) of type")


class Finding(TypedDict):
    """One thing that is wrong in a file."""

    document: int
    """Which of the documents that are not empty, from 0."""
    field: str
    """As the API server names it (`spec.containers[0].image`); "" is the whole document."""
    message: str
    sure: bool
    """Whether the API server would refuse it; else it is for another program than this cluster, perhaps."""
    line: NotRequired[int]
    """Of a text that is no YAML, from 1."""


def findings(cluster: Cluster, text: str, namespace: str) -> list[Finding]:
    """What is wrong in the manifests of a text, in their order."""
    try:
        documents = yaml.load_all(text)
    except yaml.YamlError as error:
        line = _LINE.search(str(error))
        return [_finding(0, "", str(error)) | {"line": int(line[1]) if line else 1}]
    fork = cluster.fork()
    try:
        found = [
            finding
            for number, document in enumerate(documents[:DOCUMENTS])
            for finding in _of_document(fork, number, document, namespace)
        ]
    finally:
        release(fork)
    return found[:FINDINGS_TOLD]


def _finding(document: int, field: str, message: str, *, sure: bool = True) -> Finding:
    return Finding(document=document, field=field, message=message[:MESSAGE], sure=sure)


def _of_document(fork: Cluster, number: int, document: Any, namespace: str) -> list[Finding]:
    if not isinstance(document, dict) or not {"apiVersion", "kind"} & document.keys():
        return []  # the values of a chart, say: no manifest
    for name in ("apiVersion", "kind"):
        if not isinstance(document.get(name), str) or not document[name]:
            return [_finding(number, "", f"error validating data: {name} not set")]
    if document["kind"] == "List":
        return []
    kind = fork.scheme.of_object(document["apiVersion"], document["kind"])
    if kind is None:
        message = f'no matches for kind "{document["kind"]}" in version "{document["apiVersion"]}"'
        return [_finding(number, "kind", message, sure=False)]
    return _asked(fork, number, document, kind, namespace)


def _asked(fork: Cluster, number: int, document: JSON, kind: Kind, namespace: str) -> list[Finding]:
    """As `kubectl apply` does: created, or changed when it is there. Either way it is read strictly."""
    meta = document.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    space = str(meta.get("namespace") or namespace)
    place = f"{kind.path}/namespaces/{space}" if kind.namespaced else kind.path
    path = f"{place}/{kind.resource}"
    response = _send(fork, "POST", path, "application/json", document)
    if response.status == 409 and orjson.loads(response.body).get("reason") == "AlreadyExists":
        response = _send(fork, "PATCH", f"{path}/{meta['name']}", "application/apply-patch+yaml", document)
    return [] if response.status < 300 else _refused(number, orjson.loads(response.body))


def _send(fork: Cluster, method: str, path: str, content_type: str, document: JSON) -> Response:
    query = [("fieldManager", "drydock"), ("fieldValidation", "Strict")]
    if method == "PATCH":
        query.append(("force", "true"))
    headers = {"content-type": content_type, "accept": "application/json"}
    return fork.request(Request(method, path, query, headers, orjson.dumps(document), ADMIN))


def _refused(number: int, status: JSON) -> list[Finding]:
    """A refusal, field by field where it names fields."""
    causes = (status.get("details") or {}).get("causes") or ()
    named = [(str(cause.get("field") or ""), str(cause.get("message") or "")) for cause in causes]
    message = str(status.get("message") or "")
    if not named and (strict := [(m[1], m[0]) for m in _STRICT.finditer(message)]):
        named = strict
    if not named:
        typed = _GO_FIELD.search(message)
        named = [(typed[1] if typed else "", message)]
    return [_finding(number, field, f"{field}: {said}" if causes else said) for field, said in named]
