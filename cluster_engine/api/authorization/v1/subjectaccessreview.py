"""SubjectAccessReview: may somebody do this?

Models pkg/registry/authorization/subjectaccessreview.
"""

from __future__ import annotations

from cluster_engine.apimachinery.scheme import Kind

KIND = Kind(
    group="authorization.k8s.io",
    version="v1",
    kind="SubjectAccessReview",
    resource="subjectaccessreviews",
    singular="subjectaccessreview",
    namespaced=False,
    verbs=("create",),
    answer="subject-access",
)
