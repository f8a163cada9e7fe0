"""Binding: a Pod gets its node, in the way that came before pods/binding.

Models pkg/registry/core/pod/storage (LegacyBindingREST).
"""

from __future__ import annotations

from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="",
    version="v1",
    kind="Binding",
    resource="bindings",
    singular="binding",
    namespaced=True,
    verbs=("create",),
    answer="binding",
)
