"""LocalSubjectAccessReview: may somebody do this in one namespace?

Models pkg/registry/authorization/localsubjectaccessreview.
"""

from __future__ import annotations

from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="authorization.k8s.io",
    version="v1",
    kind="LocalSubjectAccessReview",
    resource="localsubjectaccessreviews",
    singular="localsubjectaccessreview",
    namespaced=True,
    verbs=("create",),
    answer="subject-access",
)
