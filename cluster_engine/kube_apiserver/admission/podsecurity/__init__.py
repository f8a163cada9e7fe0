"""The Pod Security Standards: what a namespace's labels ask (`levels`), and what they forbid (`checks`).

Models k8s.io/pod-security-admission.
"""
