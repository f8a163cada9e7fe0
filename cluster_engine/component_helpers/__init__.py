"""Rules that several components share, each written once. Models k8s.io/component-helpers.

Whoever decides where a Pod may be (scheduler, DaemonSet controller, taint eviction, kubelet) asks here.
Everything is a pure function of objects; only ``apimachinery`` and ``sim`` may be imported.
"""
