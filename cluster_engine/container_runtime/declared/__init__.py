"""Images as data: what a cluster's registries have beside the usual images, given as YAML with its options.

    registry.example.com/shop:
      http:
        port: 8080
        routes:
          /: {body: "shop $(version) on $(HOSTNAME)\\n"}
          /ready: {}
      tags:
        "1.0": {}
        "2.0": {http: {routes: {/ready: {fails: {from: 30, status: 503}}}}}

`shape.py` says what may stand there and how much, `reading.py` reads it or says what is wrong, `build.py` is what one
tag names, `behaviour.py` the program that runs in it.
"""

from cluster_engine.container_runtime.declared.reading import ImagesError, registry_of
from cluster_engine.container_runtime.declared.shape import SCHEMA

__all__ = ("SCHEMA", "ImagesError", "registry_of")
