"""Server-side printing (meta.k8s.io/v1 Table) and metadata-only forms of objects.

Models k8s.io/apiserver/pkg/endpoints/handlers/response.go and pkg/printers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from cluster_engine.apimachinery import openapi
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column, Kind

META_V1 = "meta.k8s.io/v1"


def column_definitions(kind: Kind) -> list[JSON]:
    """metav1.TableColumnDefinition of every printed column."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": description,
            "priority": column.priority,
        }
        for column, description in zip(kind.columns, _descriptions(kind.columns), strict=True)
    ]


@lru_cache(maxsize=256)
def _descriptions(columns: tuple[Column, ...]) -> tuple[str, ...]:
    """The columns' descriptions; "#definition.property" stands for what the published schema says there."""
    if not any(column.description.startswith("#") for column in columns):
        return tuple(column.description for column in columns)
    definitions = openapi.published_definitions()
    out = []
    for column in columns:
        text = column.description
        if text.startswith("#"):
            name, _, prop = text[1:].rpartition(".")
            text = definitions.get(name, {}).get("properties", {}).get(prop, {}).get("description", "")
        out.append(text)
    return tuple(out)


def to_table(
    kind: Kind,
    objects: Sequence[JSON],
    now_us: int,
    *,
    include_object: str = "Metadata",
    list_meta: JSON | None = None,
    no_headers: bool = False,
    api_version: str = META_V1,
) -> JSON:
    """A Table of stored ``objects``, in the version of ``kind``.

    ``include_object`` is the query parameter: None, Metadata (the default) or Object. ``api_version``: that of the
    Table, meta.k8s.io/v1 or v1beta1.
    """
    if list_meta is None:
        version = objects[0]["metadata"].get("resourceVersion") if len(objects) == 1 else None
        list_meta = {"resourceVersion": version} if version else {}
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": list_meta,
        "columnDefinitions": [] if no_headers else column_definitions(kind),
        "rows": list(rows(kind, objects, now_us, include_object, api_version)),
    }


def rows(
    kind: Kind, objects: Sequence[JSON], now_us: int, include_object: str, api_version: str = META_V1
) -> Iterator[JSON]:
    """The rows of such a Table, in its order."""
    row = kind.row
    for obj in objects if kind.row_order is None else sorted(objects, key=kind.row_order):
        cells: JSON = {"cells": row(obj, now_us)}
        if include_object == "Object":
            cells["object"] = kind.shown(obj)
        elif include_object != "None":
            cells["object"] = partial_metadata(obj, api_version)
        yield cells


def partial_metadata(obj: JSON, api_version: str = META_V1) -> JSON:
    """PartialObjectMetadata: the object's metadata and nothing else."""
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj["metadata"]}
