"""Every image that the simulated registries serve. A new image is one file and one line in ``IMAGES``."""

from cluster_engine.container_runtime.image import Image
from cluster_engine.container_runtime.images import (
    agnhost,
    alpine,
    busybox,
    curl,
    distributions,
    hello_app,
    hello_world,
    http_echo,
    httpd,
    mysql,
    nginx,
    postgres,
    redis,
    runtimes,
    stress,
    system,
)

IMAGES: tuple[Image, ...] = (
    *system.IMAGES,
    nginx.IMAGE,
    httpd.IMAGE,
    busybox.IMAGE,
    alpine.IMAGE,
    redis.IMAGE,
    postgres.IMAGE,
    mysql.IMAGE,
    hello_world.IMAGE,
    hello_app.IMAGE,
    hello_app.ARTIFACT,
    http_echo.IMAGE,
    curl.IMAGE,
    stress.IMAGE,
    agnhost.IMAGE,
    runtimes.PYTHON,
    runtimes.NODE,
    distributions.DEBIAN,
    distributions.UBUNTU,
)
