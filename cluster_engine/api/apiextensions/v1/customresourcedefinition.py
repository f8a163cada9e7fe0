"""CustomResourceDefinition.

Models k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go,
pkg/apis/apiextensions/v1/defaults.go and pkg/apis/apiextensions/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_engine.api.apiextensions import columns, conversion, rules
from cluster_engine.api.apiextensions.structural import check_schema
from cluster_engine.api.meta import check_immutable, check_meta
from cluster_engine.api.printing import AGE, NAME
from cluster_engine.api.strategy import keep_status, same, update_status, with_generation
from cluster_engine.api.subresources import STATUS
from cluster_engine.apimachinery import validation
from cluster_engine.apimachinery.cow import JSON, get, put, with_meta
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_many,
)
from cluster_engine.apimachinery.scheme import Column, Deletion, Kind
from cluster_engine.sim import rfc3339

MAX_SELECTABLE = 8
"""selectableFields of one version."""

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that holds a definition until its objects are gone."""

_SCOPES = ("Cluster", "Namespaced")


def default(crd: JSON) -> JSON:
    """The names that follow from others; versions are converted by their apiVersion alone."""
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    add: JSON = {}
    if names.get("kind"):
        if not names.get("singular"):
            add["singular"] = names["kind"].lower()
        if not names.get("listKind"):
            add["listKind"] = f"{names['kind']}List"
    more: JSON = {"names": {**names, **add}} if add else {}
    converted = spec.get("conversion")
    if not converted:
        more["conversion"] = {"strategy": "None"}
    elif (service := get(converted, "webhook", "clientConfig", "service")) and service.get("port") is None:
        more["conversion"] = put(converted, ("webhook", "clientConfig", "service", "port"), 443)
    return {**crd, "spec": {**spec, **more}} if more else crd


def _stored_versions(crd: JSON, status: JSON) -> JSON:
    """The status with the storage version among the stored ones."""
    stored = status.get("storedVersions") or []
    for version in (crd.get("spec") or {}).get("versions") or ():
        if version.get("storage") and version.get("name") not in stored:
            return {**status, "storedVersions": [*stored, version["name"]]}
    return status


def prepare_create(crd: JSON) -> JSON:
    """Generation 1, a status with nothing but the stored version."""
    return {**with_generation(crd, 1), "status": _stored_versions(crd, {})}


def prepare_update(new: JSON, old: JSON) -> JSON:
    """The status stays, but for a storage version that is new; a changed spec counts one generation more."""
    new = keep_status(new, old)
    new = {**new, "status": _stored_versions(new, new.get("status") or {})}
    if same(new.get("spec"), old.get("spec")):
        return new
    return with_generation(new, old["metadata"].get("generation", 0) + 1)


def delete(crd: JSON, now: int) -> Deletion:
    """A definition goes when its objects are gone: until then a finalizer holds it."""
    meta = crd["metadata"]
    if meta.get("deletionTimestamp"):
        return Deletion("keep", crd) if meta.get("finalizers") else Deletion("delete", crd)
    finalizers = meta.get("finalizers") or []
    if CLEANUP not in finalizers:
        finalizers = [*finalizers, CLEANUP]
    condition = {
        "type": "Terminating",
        "status": "True",
        "lastTransitionTime": rfc3339(now),
        "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    }
    marked = with_meta(crd, deletionTimestamp=rfc3339(now), finalizers=finalizers)
    return Deletion("update", with_condition(marked, condition))


def with_condition(crd: JSON, condition: JSON) -> JSON:
    """The definition with a condition in its status; its time is that of the last change."""
    status = crd.get("status") or {}
    conditions: list[JSON] = list(status.get("conditions") or ())
    for at, found in enumerate(conditions):
        if found["type"] == condition["type"]:
            if found["status"] == condition["status"]:
                condition = {**condition, "lastTransitionTime": found.get("lastTransitionTime")}
            conditions[at] = condition
            break
    else:
        conditions.append(condition)
    return {**crd, "status": {**status, "conditions": conditions}}


def has_condition(crd: JSON, kind: str, status: str = "True") -> bool:
    """Whether a condition of the definition has that status."""
    found = (crd.get("status") or {}).get("conditions") or ()
    return any(c["type"] == kind and c["status"] == status for c in found)


# Validation


def validate(crd: JSON) -> list[FieldError]:
    """What is wrong with a definition."""
    spec = crd.get("spec") or {}
    problems = check_meta(crd, namespaced=False)
    names = spec.get("names") or {}
    wanted = f"{names.get('plural') or ''}.{spec.get('group') or ''}"
    if crd["metadata"].get("name") != wanted:
        text = 'must be spec.names.plural+"."+spec.group'
        problems.insert(0, invalid_value("metadata.name", crd["metadata"].get("name") or "", text))
    return problems + _check_spec(spec) + _check_conversion(spec, None) + _check_approval(crd)


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """As a new one; names and scope of one that is served stay, and so do the versions that may be stored."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    problems = [] if spec == before else _check_spec(spec) + _check_conversion(spec, old)
    if has_condition(old, "Established"):
        problems += check_immutable(spec.get("scope"), before.get("scope"), "spec.scope")
        kind, was = (s["names"].get("kind") for s in (spec, before))
        problems += check_immutable(kind, was, "spec.names.kind")
    problems += check_immutable(spec.get("group"), before.get("group"), "spec.group")
    plural, was = (s["names"].get("plural") for s in (spec, before))
    problems += check_immutable(plural, was, "spec.names.plural")
    return problems + _check_stored(new)


def validate_status(new: JSON, old: JSON) -> list[FieldError]:
    """The stored versions must be there."""
    return _check_stored(new)


def _check_stored(crd: JSON) -> list[FieldError]:
    path = "status.storedVersions"
    stored = (crd.get("status") or {}).get("storedVersions") or []
    if not stored:
        return [invalid_value(path, list(stored), "must have at least one stored version")]
    problems: list[FieldError] = []
    versions = (crd.get("spec") or {}).get("versions") or ()
    for version in versions:
        if version.get("storage") and version["name"] not in stored:
            text = f"must have the storage version {version['name']}"
            problems.append(invalid_value(path, list(stored), text))
    known = {version["name"] for version in versions}
    for at, name in enumerate(stored):
        if name not in known:
            text = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions"
                f" until a storage migration ensures no data remains persisted in {name} and removes {name} from "
                "status.storedVersions"
            )
            problems.append(invalid_value(f"{path}[{at}]", name, text))
    return problems


def _check_approval(crd: JSON) -> list[FieldError]:
    group = (crd.get("spec") or {}).get("group") or ""
    if not (group in ("k8s.io", "kubernetes.io") or group.endswith((".k8s.io", ".kubernetes.io"))):
        return []
    key = "api-approved.kubernetes.io"
    if (crd["metadata"].get("annotations") or {}).get(key):
        return []
    text = (
        'protected groups must have approval annotation "api-approved.kubernetes.io", '
        "see https://github.com/kubernetes/enhancements/pull/1111"
    )
    return [required(f"metadata.annotations[{key}]", text)]


def _check_spec(spec: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    group, scope = spec.get("group") or "", spec.get("scope") or ""
    if not group:
        problems.append(required("spec.group"))
    elif wrong := validation.is_dns1123_subdomain(group):
        problems.append(invalid_value("spec.group", group, ",".join(wrong)))
    elif "." not in group:
        problems.append(invalid_value("spec.group", group, "should be a domain with at least one dot"))
    if not scope:
        problems.append(required("spec.scope"))
    elif scope not in _SCOPES:
        problems.append(not_supported("spec.scope", scope, _SCOPES))
    versions = spec.get("versions") or []
    problems += _check_versions(spec, versions)
    problems += _check_names(spec.get("names") or {})
    if spec.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        problems.append(invalid_value("spec.preserveUnknownFields", True, text))
    return problems


def _check_conversion(spec: JSON, old: JSON | None) -> list[FieldError]:
    before = get(old or {}, "spec", "conversion", "webhook", default={})
    versions = before.get("conversionReviewVersions") or []
    bundle = get(before, "clientConfig", "caBundle", default="")
    established = old is not None and has_condition(old, "Established")
    return conversion.check(
        spec.get("conversion") or {},
        known_version=not versions or conversion.spoken(versions),
        any_bundle=not established or bool(conversion.bundle_problem(bundle)),
    )


def _check_versions(spec: JSON, versions: Sequence[JSON]) -> list[FieldError]:
    problems: list[FieldError] = []
    # Upstream's internal form has what all versions agree on at the top; its errors are said of that.
    schemas = [version.get("schema") for version in versions]
    shared = bool(schemas) and schemas[0] is not None and all(schema == schemas[0] for schema in schemas)
    for at, version in enumerate(versions):
        path = f"spec.versions[{at}]"
        if wrong := validation.is_dns1035_label(version.get("name") or ""):
            problems.append(invalid_value(f"{path}.name", version.get("name") or "", ",".join(wrong)))
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            problems.append(required(f"{path}.schema.openAPIV3Schema", "schemas are required"))
        elif not shared or at == 0:
            place = "spec.validation" if shared else f"{path}.schema"
            problems += check_schema(schema, f"{place}.openAPIV3Schema")
        problems += _check_version(version, path)
    names = [version.get("name") for version in versions]
    if len(set(names)) < len(names):
        problems.append(invalid_value("spec.versions", list(versions), "must contain unique version names"))
    if sum(bool(version.get("storage")) for version in versions) != 1:
        text = "must have exactly one version marked as storage version"
        problems.append(invalid_value("spec.versions", list(versions), text))
    return problems


def _check_version(version: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    warning = version.get("deprecationWarning")
    if warning is not None:
        place = f"{path}.deprecationWarning"
        if not version.get("deprecated"):
            problems.append(invalid_value(place, warning, "can only be set for deprecated versions"))
        if len(warning) > 256:
            problems.append(invalid_value(place, warning, "must be <= 256 characters long"))
        if not warning:
            problems.append(invalid_value(place, warning, "must not be an empty string"))
    problems += _check_scale((version.get("subresources") or {}).get("scale"), f"{path}.subresources")
    for at, column in enumerate(version.get("additionalPrinterColumns") or ()):
        problems += _check_column(column, f"{path}.additionalPrinterColumns[{at}]")
    fields = version.get("selectableFields") or ()
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    for at, field in enumerate(fields):
        problems += _check_selectable(
            field, schema, [f.get("jsonPath") for f in fields[:at]], f"{path}.selectableFields[{at}]"
        )
    if len(fields) > MAX_SELECTABLE:
        problems.append(too_many(f"{path}.selectableFields", len(fields), MAX_SELECTABLE))
    return problems


def _check_scale(scale: JSON | None, path: str) -> list[FieldError]:
    if scale is None:
        return []
    problems: list[FieldError] = []
    for name, under in (
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
        ("labelSelectorPath", ".status."),
    ):
        text = scale.get(name) or ""
        place = f"{path}.scale.{name}"
        if not text:
            if name != "labelSelectorPath":
                problems.append(required(place))
        elif not text.startswith("."):
            problems.append(invalid_value(place, text, "must be a simple json path starting with ."))
        elif not text.startswith(under):
            problems.append(invalid_value(place, text, f"should be a json path under {under.rstrip('.')}"))
    return problems


def _check_column(column: JSON, path: str) -> list[FieldError]:
    problems: list[FieldError] = []
    kind, form, where = (column.get(name) or "" for name in ("type", "format", "jsonPath"))
    if not column.get("name"):
        problems.append(required(f"{path}.name"))
    if not kind:
        problems.append(required(f"{path}.type", f"must be one of {','.join(columns.TYPES)}"))
    elif kind not in columns.TYPES:
        problems.append(invalid_value(f"{path}.type", kind, f"must be one of {','.join(columns.TYPES)}"))
    if form and form not in columns.FORMATS:
        problems.append(invalid_value(f"{path}.format", form, f"must be one of {','.join(columns.FORMATS)}"))
    if not where:
        problems.append(required(f"{path}.JSONPath"))
    elif not where.startswith("."):
        problems.append(
            invalid_value(f"{path}.JSONPath", where, "must be a simple json path starting with .")
        )
    return problems


def _check_selectable(field: JSON, schema: JSON, before: Sequence[Any], path: str) -> list[FieldError]:
    text, place = field.get("jsonPath") or "", f"{path}.jsonPath"
    if not text:
        return [required(place)]
    if "[" in text:
        return [invalid_value(place, text, "is an invalid path: array notation is not allowed")]
    if wrong := rules.path_problem(text, schema):
        return [invalid_value(place, text, f"is an invalid path: {wrong}")]
    problems: list[FieldError] = []
    names = text.removeprefix(".").split(".")
    if names[0] == "metadata":
        problems.append(invalid_value(place, text, "must not point to fields in metadata"))
    found: JSON = schema
    for name in names:
        found = (found.get("properties") or {}).get(name) or found.get("additionalProperties") or {}
    if found.get("type") not in ("string", "boolean", "integer"):
        wanted = (
            "must point to a field of type string, boolean or integer. "
            "Enum string fields and strings with formats are allowed."
        )
        problems.append(invalid_value(place, text, wanted))
    if text in before:
        problems.append(duplicate(place, text))
    return problems


def _check_names(names: JSON) -> list[FieldError]:
    problems: list[FieldError] = []
    for name in ("plural", "singular", "kind", "listKind"):
        if not names.get(name):
            problems.append(required(f"spec.names.{name}"))
    for name in ("plural", "singular"):
        if names.get(name) and (wrong := validation.is_dns1035_label(names[name])):
            problems.append(invalid_value(f"spec.names.{name}", names[name], ",".join(wrong)))
    for name in ("kind", "listKind"):
        if names.get(name) and (wrong := validation.is_dns1035_label(names[name].lower())):
            text = "may have mixed case, but should otherwise match: " + ",".join(wrong)
            problems.append(invalid_value(f"spec.names.{name}", names[name], text))
    for name in ("shortNames", "categories"):
        for at, value in enumerate(names.get(name) or ()):
            if wrong := validation.is_dns1035_label(value):
                problems.append(invalid_value(f"spec.names.{name}[{at}]", value, ",".join(wrong)))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        text = "kind and listKind may not be the same"
        problems.append(invalid_value("spec.names.listKind", names["listKind"], text))
    return problems


def row(crd: JSON, now: int) -> list[Any]:
    """The cells of a definition."""
    return [crd["metadata"]["name"], crd["metadata"].get("creationTimestamp")]


KIND = Kind(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    resource="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=STATUS,
    columns=(
        NAME,
        Column("Created At", "date", description=AGE.description),
    ),
    row=row,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=update_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    delete=delete,
)
