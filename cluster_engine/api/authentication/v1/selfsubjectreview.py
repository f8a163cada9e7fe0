"""SelfSubjectReview: who am I?

Models pkg/registry/authentication/selfsubjectreview.
"""

from __future__ import annotations

from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="authentication.k8s.io",
    version="v1",
    kind="SelfSubjectReview",
    resource="selfsubjectreviews",
    singular="selfsubjectreview",
    namespaced=False,
    verbs=("create",),
    answer="self",
)
