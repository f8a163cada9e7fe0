"""Custom resources: what a CustomResourceDefinition may say, and the kind that follows from it.

Models k8s.io/apiextensions-apiserver.
"""
