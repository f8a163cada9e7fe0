"""A Pod's spec, wherever it stands: in a Pod, or in the template of a workload."""

from .defaults import default_container, default_pod_spec, default_template, quantities
from .spec import validate_pod_spec, validate_template
from .warnings import template_warnings

__all__ = [
    "default_container",
    "default_pod_spec",
    "default_template",
    "quantities",
    "template_warnings",
    "validate_pod_spec",
    "validate_template",
]
