"""How kubectl shows objects: the server's tables, JSON, YAML, names, JSONPath."""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime import go_json
from cluster_engine.container_runtime.kubectl import jsonpath
from cluster_engine.container_runtime.kubectl.conversation import Failed, Resource

FORMATS = ("", "wide", "json", "yaml", "name")
"""Beside ``jsonpath=…``."""


def check(form: str) -> None:
    """Raises Failed for what is none of them."""
    if form not in FORMATS and not form.startswith("jsonpath="):
        raise Failed(f"the output format {form!r} is not simulated in Pods (a real kubectl may have it)")


def shown(value: JSON, form: str) -> str:
    """An object or a list of them in one of the formats that are no table. Raises Failed."""
    if form == "json":
        return go_json.marshal(_clean(value), 4) + "\n"
    if form == "yaml":
        return yaml.dump(_clean(value))
    template = form.removeprefix("jsonpath=")
    try:
        return jsonpath.rendered(template, value)
    except jsonpath.Unmet as error:
        raise Failed(f'error executing jsonpath "{template}": Error executing template: {error}.') from None
    except jsonpath.Bad as error:
        raise Failed(f"error parsing jsonpath {template}, {error}") from None


def _clean(value: JSON) -> JSON:
    """Without what kubectl hides; a list's objects too."""
    meta = {key: each for key, each in (value.get("metadata") or {}).items() if key != "managedFields"}
    cleaned = {**value, "metadata": meta}
    if isinstance(value.get("items"), list):
        cleaned["items"] = [_clean(item) for item in value["items"]]
    return cleaned


def listed(items: list[JSON]) -> JSON:
    """Several objects as kubectl gives them."""
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def table(
    answer: JSON,
    resource: Resource,
    *,
    wide: bool,
    headers: bool,
    namespaces: bool,
    labels: bool,
    prefix: bool,
) -> str:
    """The server's table."""
    columns = answer.get("columnDefinitions") or []
    chosen = [at for at, column in enumerate(columns) if wide or not column.get("priority")]
    rows: list[list[str]] = []
    if headers:
        head = (
            ["NAMESPACE"] * namespaces + [columns[at]["name"].upper() for at in chosen] + ["LABELS"] * labels
        )
        rows.append(head)
    for row in answer.get("rows") or []:
        meta = (row.get("object") or {}).get("metadata") or {}
        cells = [_cell(row["cells"][at]) for at in chosen]
        if prefix and cells:
            cells[0] = f"{resource.full}/{cells[0]}"
        own = ",".join(f"{key}={value}" for key, value in sorted((meta.get("labels") or {}).items()))
        rows.append([meta.get("namespace", "")] * namespaces + cells + [own or "<none>"] * labels)
    widths = [max(6, *(len(row[at]) + 3 for row in rows)) for at in range(len(rows[0]))] if rows else []
    return "".join(_row(row, widths) for row in rows)


def _row(row: list[str], widths: list[int]) -> str:
    *first, last = row
    return "".join(text.ljust(width) for text, width in zip(first, widths, strict=False)) + last + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "<none>"
    return value if isinstance(value, str) else go_json.marshal(value)
