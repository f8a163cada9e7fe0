"""What the admission plugins of CEL policies have in common: what matches a request, and what expressions see of it.

Models k8s.io/apiserver/pkg/admission/plugin/policy (generic, matching) and pkg/admission/plugin/cel.
"""
