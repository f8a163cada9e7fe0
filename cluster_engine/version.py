"""What this engine is, and which Kubernetes it is."""

ENGINE_VERSION = "0.1.0"
KUBERNETES_VERSION = "1.37.0"
