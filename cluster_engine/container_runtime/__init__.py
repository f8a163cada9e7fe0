"""The container runtime of a node: images, sandboxes with their machines, logs.

It stands where containerd stands behind the CRI. An image is a file in ``images/``: names, sizes, configuration,
files, and programs for a ``linux`` machine. It knows nothing of the API server.
"""
