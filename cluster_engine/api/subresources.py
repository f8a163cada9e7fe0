"""The subresources that many kinds have; a kind's own stand in its file."""

from cluster_engine.apimachinery.scheme import Subresource

STATUS = {"status": Subresource()}
SCALE = {"scale": Subresource(shows=("autoscaling", "v1", "Scale"), answer="scale")}
PROXY = Subresource(("create", "delete", "get", "patch", "update"), answer="proxy")
STREAM = ("create", "get")
"""Verbs of what answers with a stream in both directions."""
