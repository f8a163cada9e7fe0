"""The kind that a CustomResourceDefinition defines.

Models k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go and
pkg/registry/customresource/strategy.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.api.apiextensions import columns, rules, scale, values
from cluster_engine.api.printing import NAME, age
from cluster_engine.api.strategy import keep_status, same, with_generation, without_status
from cluster_engine.api.subresources import SCALE, STATUS
from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import INVALID, FieldError
from cluster_engine.apimachinery.identity_cache import RULE_CACHE
from cluster_engine.apimachinery.scheme import Kind, ScalePaths, Version
from cluster_engine.apimachinery.validation import standard_finalizer, validate_object_meta

_TERMINATING = "create not allowed while custom resource definition is terminating"
_NOT_ASKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)


def custom_kind(crd: JSON, stored: str) -> Kind:
    """The kind of a definition, its objects stored in the version ``stored``. The same one for the same definition."""
    terminating = crd["metadata"].get("deletionTimestamp") is not None
    key = ("custom-kind", id(crd["spec"]), stored, terminating)
    found: Kind | None = RULE_CACHE.get(key)
    if found is None:
        found = _kind(crd["spec"], stored, terminating)
        RULE_CACHE.put(key, found, crd["spec"])
    return found


def _kind(spec: JSON, stored: str, terminating: bool) -> Kind:
    versions = {version["name"]: version for version in spec["versions"]}
    main, names = versions[stored], spec["names"]
    schema = _schema(main)
    status = "status" in (main.get("subresources") or {})
    scaled = scale.paths((main.get("subresources") or {}).get("scale"))
    printed = main.get("additionalPrinterColumns")
    return Kind(
        group=spec["group"],
        version=stored,
        kind=names["kind"],
        resource=names["plural"],
        singular=names.get("singular") or names["kind"].lower(),
        namespaced=spec["scope"] == "Namespaced",
        versions=tuple(
            _version(version, spec)
            for name, version in versions.items()
            if name != stored and version.get("served")
        ),
        served=bool(main.get("served")),
        openapi=schema,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources={**(SCALE if scaled else {}), **(STATUS if status else {})},
        scale=scaled,
        columns=(NAME, *columns.columns(printed)),
        row=columns.cells(printed) if printed else _name_and_age,
        default=_default(schema),
        prepare_create=_prepare_create(spec, status, terminating),
        prepare_update=_prepare_update(status),
        prepare_status=_only_status,
        validate=_validate(schema, spec["scope"] == "Namespaced", scaled),
        validate_update=_validate_update(schema, scaled, scale.check),
        validate_status=_validate_update(schema, scaled, scale.check_status),
        any_finalizers=True,
        warnings=_finalizer_warnings,
        warns_on_update=_finalizers_changed,
        deprecated=_deprecation(main, spec),
        field_labels=_selectable(main),
    )


def _schema(version: JSON) -> JSON:
    found: JSON = (version.get("schema") or {}).get("openAPIV3Schema") or {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }
    return found


def _version(version: JSON, spec: JSON) -> Version:
    """A version beside the stored one: with conversion None, nothing but apiVersion differs."""
    printed = version.get("additionalPrinterColumns")
    return Version(
        version["name"],
        to_stored=_as_it_is,
        from_stored=_as_it_is,
        default=_default(_schema(version)),
        openapi=_schema(version),
        deprecated=_deprecation(version, spec),
        columns=(NAME, *columns.columns(printed)),
        row=columns.cells(printed) if printed else _name_and_age,
    )


def _as_it_is(obj: JSON) -> JSON:
    return obj


def _deprecation(version: JSON, spec: JSON) -> str:
    if not version.get("deprecated"):
        return ""
    default = f"{spec['group']}/{version['name']} {spec['names']['kind']} is deprecated"
    return str(version.get("deprecationWarning") or default)


def _name_and_age(obj: JSON, now: int) -> list[Any]:
    return [obj["metadata"]["name"], age(obj, now)]


def _selectable(version: JSON) -> dict[str, Callable[[JSON], str]]:
    found: dict[str, Callable[[JSON], str]] = {}
    for field in version.get("selectableFields") or ():
        path = columns.parse(field["jsonPath"])
        if path is not None:
            found[field["jsonPath"].removeprefix(".")] = _selected(path)
    return found


def _selected(path: columns.Path) -> Callable[[JSON], str]:
    def value(obj: JSON) -> str:
        found = path.first(obj)
        if isinstance(found, bool):
            return "true" if found else "false"
        return "" if found is None else str(found)

    return value


# Strategy


def _default(schema: JSON) -> Callable[[JSON], JSON]:
    def default(obj: JSON) -> JSON:
        found: JSON = values.defaulted(obj, schema)
        return found

    return default


def _prepare_create(spec: JSON, status: bool, terminating: bool) -> Callable[[JSON], JSON]:
    resource = f"{spec['names']['plural']}.{spec['group']}"

    def prepare(obj: JSON) -> JSON:
        if terminating:
            raise errors.forbidden(resource, obj["metadata"].get("name", ""), _TERMINATING)
        return with_generation(without_status(obj) if status else obj, 1)

    return prepare


def _prepare_update(status: bool) -> Callable[[JSON, JSON], JSON]:
    apart = ("metadata", "status") if status else ("metadata",)

    def prepare(new: JSON, old: JSON) -> JSON:
        if status:
            new = keep_status(new, old)
        names = [name for name in sorted(new.keys() | old.keys()) if name not in apart]
        if all(same(new.get(name), old.get(name)) for name in names):
            return with_generation(new, old["metadata"].get("generation", 1))
        return with_generation(new, old["metadata"].get("generation", 0) + 1)

    return prepare


def _only_status(new: JSON, old: JSON) -> JSON:
    """The stored object with the new status."""
    if "status" not in new:
        return without_status(old)
    meta = {**old["metadata"]}
    if "managedFields" in new["metadata"]:
        meta["managedFields"] = new["metadata"]["managedFields"]
    return {**old, "metadata": meta, "status": new["status"]}


# Validation


def _validate(
    schema: JSON, namespaced: bool, scaled: ScalePaths | None
) -> Callable[[JSON], list[FieldError]]:
    def validate(obj: JSON) -> list[FieldError]:
        problems = values.check(obj, schema, "") + scale.check(obj, scaled)
        meta = validate_object_meta(obj["metadata"], namespaced=namespaced)
        return meta + _with_rules(schema, obj, None, problems)

    return validate


def _finalizer_warnings(obj: JSON) -> list[str]:
    """Of names without a domain (generateWarningsFromObj)."""
    advice = (
        "prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other "
        "finalizer writers"
    )
    found = sorted(obj["metadata"].get("finalizers") or ())
    return [f'metadata.finalizers: "{name}": {advice}' for name in found if not standard_finalizer(name)]


def _finalizers_changed(new: JSON, old: JSON) -> bool:
    before = old["metadata"].get("finalizers") or ()
    return any(name not in before for name in new["metadata"].get("finalizers") or ())


def _validate_update(
    schema: JSON,
    scaled: ScalePaths | None,
    check_scale: Callable[[JSON, ScalePaths | None], list[FieldError]],
) -> Callable[[JSON, JSON], list[FieldError]]:
    def validate(new: JSON, old: JSON) -> list[FieldError]:
        problems = values.check(new, schema, "", old) + check_scale(new, scaled)
        return _with_rules(schema, new, old, problems)

    return validate


def _with_rules(schema: JSON, obj: JSON, old: JSON | None, problems: list[FieldError]) -> list[FieldError]:
    """The problems, and those that the rules in CEL find."""
    if any(problem.type in values.BLOCKING for problem in problems):
        if not rules.validator(schema):
            return problems
        return [*problems, FieldError(INVALID, "<nil>", None, _NOT_ASKED)]
    return problems + rules.check(rules.validator(schema), obj, old)
