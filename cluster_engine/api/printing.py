"""What printed columns of several kinds share.

A column's description is either literal or, where upstream takes it from the API's own documentation, a
reference such as ``#io.k8s.api.core.v1.PodStatus.podIP`` that the server resolves in the published schema.

Models pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster_engine.apimachinery import duration
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Column

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"
_META = "#io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta."

NAME = Column("Name", format="name", description=_META + "name")
AGE = Column("Age", description=_META + "creationTimestamp")
CONTAINERS = Column("Containers", description="Names of each container in the template.", priority=1)
IMAGES = Column("Images", description="Images referenced by each container in the template.", priority=1)


def doc(message: str, field: str) -> str:
    """The reference to a field's documentation, e.g. doc("core.v1.PodStatus", "podIP")."""
    return f"#io.k8s.api.{message}.{field}"


def age(obj: JSON, now: int) -> str:
    """The AGE cell."""
    return duration.age(obj["metadata"].get("creationTimestamp"), now)


def labels_text(labels: Mapping[str, str] | None) -> str:
    """Labels as ``a=b,c=d``, or <none> (labels.FormatLabels)."""
    if not labels:
        return NONE
    return ",".join(f"{name}={labels[name]}" for name in sorted(labels))


def container_cells(spec: JSON) -> tuple[str, str]:
    """The names and the images of a template's containers (layoutContainerCells)."""
    containers = spec.get("containers") or ()
    return ",".join(c.get("name", "") for c in containers), ",".join(c.get("image", "") for c in containers)


def selector_text(selector: JSON | None) -> str:
    """A metav1.LabelSelector as text (metav1.FormatLabelSelector)."""
    if selector is None:
        return NONE
    parts = [(name, f"{name}={value}") for name, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        parts.append((expression.get("key", ""), _requirement(expression)))
    return ",".join(text for _key, text in sorted(parts)) or NONE


def _requirement(expression: Mapping[str, Any]) -> str:
    key, operator = expression.get("key", ""), expression.get("operator")
    if operator == "Exists":
        return str(key)
    if operator == "DoesNotExist":
        return f"!{key}"
    values = ",".join(sorted(expression.get("values") or ()))
    return f"{key} {'notin' if operator == 'NotIn' else 'in'} ({values})"


def joined(values: Iterable[str]) -> str:
    """The values joined by commas, or <none>."""
    return ",".join(values) or NONE
