"""PodTemplate. Models pkg/registry/core/podtemplate/strategy.go."""

from __future__ import annotations

from typing import Any

from cluster_engine.api.meta import check_meta
from cluster_engine.api.printing import NAME, container_cells, labels_text
from cluster_engine.api.strategy import same, with_generation
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError
from cluster_engine.apimachinery.scheme import Column, Kind

from .pod_spec import default_template, validate_template


def default(template: JSON) -> JSON:
    """The template's defaults."""
    given = template.get("template") or {}
    made = default_template(given)
    return template if made is template.get("template") else {**template, "template": made}


def prepare_update(new: JSON, old: JSON) -> JSON:
    """A changed template counts one generation more."""
    if same(new.get("template"), old.get("template")):
        return new
    return with_generation(new, old["metadata"].get("generation", 0) + 1)


def _check(template: JSON) -> list[FieldError]:
    return validate_template(template.get("template") or {}, "template")


def row(template: JSON, now: int) -> list[Any]:
    """The cells of a template."""
    pod = template.get("template") or {}
    labels = (pod.get("metadata") or {}).get("labels")
    return [template["metadata"]["name"], *container_cells(pod.get("spec") or {}), labels_text(labels)]


KIND = Kind(
    group="",
    version="v1",
    kind="PodTemplate",
    resource="podtemplates",
    singular="podtemplate",
    namespaced=True,
    columns=(
        NAME,
        Column("Containers", description="Names of each container in the template."),
        Column("Images", description="Images referenced by each container in the template."),
        Column("Pod Labels", description="The labels for the pod template."),
    ),
    row=row,
    default=default,
    prepare_create=lambda template: with_generation(template, 1),
    prepare_update=prepare_update,
    returns_deleted=True,
    validate=lambda template: check_meta(template) + _check(template),
    validate_update=lambda new, old: _check(new),
)
