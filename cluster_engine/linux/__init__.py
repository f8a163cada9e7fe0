"""A small Linux as data: processes, files, a shell and programs. It knows nothing of Kubernetes.

All state is JSON-shaped, so that a snapshot is a handful of references and a restore re-runs nothing.
"""
