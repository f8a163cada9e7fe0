"""What PersistentVolumes and PersistentVolumeClaims have in common: access modes, volume modes, sizes, classes.

Models pkg/apis/core/validation and k8s.io/component-helpers/storage/volume.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.errors import FieldError, forbidden_field, invalid_value, not_supported
from cluster_engine.apimachinery.validation import is_dns1123_subdomain

_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_VOLUME_MODES = ("Block", "Filesystem")
_ALONE = "ReadWriteOncePod"


def modes_text(modes: list[str] | None) -> str:
    """Access modes as columns have them: RWO,ROX."""
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def check_access_modes(modes: list[str], path: str) -> list[FieldError]:
    """Known modes, and ReadWriteOncePod alone."""
    problems = [not_supported(path, mode, sorted(_MODES)) for mode in modes if mode not in _MODES]
    if _ALONE in modes and any(mode != _ALONE for mode in modes):
        problems.append(forbidden_field(path, f"may not use {_ALONE} with other access modes"))
    return problems


def check_volume_mode(mode: str | None, path: str) -> list[FieldError]:
    """Filesystem or Block."""
    return [] if mode is None or mode in _VOLUME_MODES else [not_supported(path, mode, _VOLUME_MODES)]


def check_class_name(name: str | None, path: str) -> list[FieldError]:
    """The name of a StorageClass."""
    return [invalid_value(path, name, text) for text in is_dns1123_subdomain(name)] if name else []


def check_positive(amount: Any, path: str) -> list[FieldError]:
    """A quantity above zero."""
    if quantity.parse(amount) > 0:
        return []
    return [invalid_value(path, str(amount), "must be greater than zero")]
