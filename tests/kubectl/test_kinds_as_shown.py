"""What the real kubectl shows of an object of each kind: get, get -o wide, describe, and explain.

The goldens were read against pkg/printers/internalversion/printers.go and k8s.io/kubectl/pkg/describe. Time stands
still in the cluster, so that no controller changes an object and each stays as it was made. ``--update`` writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubectl_driver import Kubectl, serving
from served import USUAL

from cluster_engine.api import KINDS
from cluster_engine.apimachinery.scheme import Kind
from tests.soak.random_objects import BASES

pytestmark = [pytest.mark.kubectl, pytest.mark.slow]
GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).resolve().parents[1] / "api" / "golden"
SHOWN = {kind.kind: kind for kind in KINDS if not kind.answer}
OWN = {
    "ComponentStatus": "scheduler",
    "IPAddress": "10.96.0.1",
    "ServiceCIDR": "kubernetes",
}
"""Objects that stand in every cluster."""
ACTS = ("LimitRange", "ResourceQuota", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
"""Kinds whose objects change or refuse what is made after them: they go at once."""
NAMES = {"APIService": "v1.boats.example.com"}
_NORMAL = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"), "<time>"),
    (re.compile(r"(?<=Resource Version:)(\s+)\d+"), r"\1<n>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC"), "<time>"),
)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    with serving(tmp_path_factory.mktemp("shown"), *USUAL, "0") as kubectl:
        yield kubectl


def example(kind: Kind) -> dict[str, Any]:
    """The golden example of the kind, or the smallest object that is accepted."""
    path = EXAMPLES / f"{kind.kind.lower()}.input.yaml"
    if path.exists():
        found: dict[str, Any] = yaml.safe_load(path.read_text())
    else:
        found = {"apiVersion": kind.forms[0].api_version, "kind": kind.kind, **BASES[kind.kind]}
    meta = {**(found.get("metadata") or {}), "name": NAMES.get(kind.kind, "shown")}
    if kind.kind in ("CustomResourceDefinition", "Namespace"):
        meta["name"] = (found.get("metadata") or {}).get("name") or "shown"
    meta.pop("namespace", None)
    return {**found, "metadata": meta}


def normal(text: str) -> str:
    for pattern, placeholder in _NORMAL:
        text = pattern.sub(placeholder, text)
    # What the installation made is some seconds old, by the moment at which it was begun.
    return "\n".join(re.sub(r" \d+s$", " 0s", line.rstrip()) for line in text.splitlines())


def tree(text: str) -> str:
    """The fields that explain lists, but those of a Pod's template, which stand in the Pod's own golden."""
    kept, below = [], None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if below is not None and line.strip() and indent > below:
            continue
        below = indent if re.search(r"\b(template|jobTemplate)\t<\w+>", line) else None
        kept.append(line.rstrip())
    return "\n".join(kept)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_kind_as_shown(still: Kubectl, name: str, update_goldens: bool) -> None:
    kind = SHOWN[name]
    made = OWN.get(name)
    if made is None:
        obj = example(kind)
        made = obj["metadata"]["name"]
        still("create", "-f", "-", stdin=json.dumps(obj))
    resource = f"{kind.resource}.{kind.forms[0].version}.{kind.group}" if kind.group else kind.resource
    told = []
    for arguments in (
        ("get", resource, made),
        ("get", resource, made, "-o", "wide"),
        ("describe", resource, made),
    ):
        told.append(f"$ kubectl {' '.join(arguments)}\n{normal(still(*arguments))}\n")
    command = (
        "explain",
        "--recursive",
        resource.partition(".")[0],
        f"--api-version={kind.forms[0].api_version}",
    )
    told.append(f"$ kubectl {' '.join(command)}\n{tree(still(*command))}\n")
    if name in ACTS:
        still("delete", resource, made, "--wait=false")
    found, path = "\n".join(told), GOLDEN / f"{name.lower()}.txt"
    if update_goldens:
        path.write_text(found)
    # kubectl goes through some maps in any order.
    assert sorted(path.read_text().splitlines()) == sorted(found.splitlines())
