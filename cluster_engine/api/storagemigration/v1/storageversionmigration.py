"""StorageVersionMigration: objects of a resource that are to be written anew, in the version in which they are stored.

Models pkg/registry/storagemigration/storagemigration and pkg/apis/storagemigration/validation.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.conditions import check_conditions
from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import NAME
from cluster_engine.api.strategy import create_spec, update_spec, update_status
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import FieldError, invalid_value, required
from cluster_engine.apimachinery.scheme import Column, Kind
from cluster_engine.apimachinery.validation import is_dns1035_label, is_dns1123_subdomain
from cluster_engine.component_helpers.conditions import condition_of

RUNNING, SUCCEEDED, FAILED = "Running", "Succeeded", "Failed"
_CONDITIONS = "status.conditions"


def is_true(migration: JSON, type_: str) -> bool:
    """Whether the migration has that condition."""
    found = condition_of(migration, type_)
    return found is not None and found.get("status") == "True"


def _resource(migration: JSON) -> tuple[str, str]:
    named = (migration.get("spec") or {}).get("resource") or {}
    return named.get("group") or "", named.get("resource") or ""


def _check(migration: JSON) -> list[FieldError]:
    group, resource = _resource(migration)
    problems: list[FieldError] = []
    path = "spec.resource.resource"
    if not resource:
        problems.append(required(path, "resource is required to be set"))
    elif wrong := is_dns1035_label(resource):
        problems.append(invalid_value(path, resource, ",".join(wrong)))
    if group and (wrong := is_dns1123_subdomain(group)):
        problems.append(invalid_value("spec.resource.group", group, ",".join(wrong)))
    return problems


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """What is migrated stays."""
    return _check(new) + check_immutable(new.get("spec"), old.get("spec"), "spec")


def _version_problem(text: str) -> str:
    """Why a resource version cannot be compared (resourceversion.CompareResourceVersion)."""
    if text.isascii() and text.isdigit() and not text.startswith("0"):
        return ""
    return f"resource version is not well formed: {text}"


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """A migration that has ended stays so, in one way."""
    status, path = new.get("status") or {}, "status.resourceVersion"
    version, before = (
        status.get("resourceVersion") or "",
        (old.get("status") or {}).get("resourceVersion") or "",
    )
    problems: list[FieldError] = []
    if wrong := _version_problem(version):
        problems.append(invalid_value(path, version, wrong))
    problems += check_conditions(status.get("conditions") or (), _CONDITIONS)
    problems += check_immutable(version, before, path) if before else []
    done, failed, running = (is_true(new, type_) for type_ in (SUCCEEDED, FAILED, RUNNING))
    rules = (
        (done and failed, "Both success and failed conditions cannot be true at the same time"),
        (done and running, "Running condition cannot be true when success condition is true"),
        (failed and running, "Running condition cannot be true when failed condition is true"),
        (is_true(old, SUCCEEDED) and not done, "Success condition cannot be set to false once it is true"),
        (is_true(old, FAILED) and not failed, "Failed condition cannot be set to false once it is true"),
    )
    told = status.get("conditions") or []
    return problems + [invalid_value(_CONDITIONS, told, text) for broken, text in rules if broken]


def row(migration: JSON, now: int) -> list[Any]:
    """The cells of a migration: the resource as in ``deployments.apps``."""
    group, resource = _resource(migration)
    return [migration["metadata"]["name"], f"{resource}.{group}" if group else resource]


KIND = Kind(
    group="storagemigration.k8s.io",
    version="v1",
    kind="StorageVersionMigration",
    resource="storageversionmigrations",
    singular="storageversionmigration",
    namespaced=False,
    subresources=STATUS,
    columns=(NAME, Column("Resource", description="Fully qualified resource to migrate")),
    row=row,
    prepare_create=create_spec,
    prepare_update=update_spec,
    prepare_status=update_status,
    validate=lambda migration: check_meta(migration, namespaced=False) + _check(migration),
    validate_update=validate_update,
    validate_status=validate_status,
)
