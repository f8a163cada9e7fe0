"""debian and ubuntu: a shell and the usual tools."""

from __future__ import annotations

from cluster_engine.container_runtime.image import PATH, Image, Variant, debian_files, tags


def _ubuntu_files(variant: Variant) -> dict[str, str]:
    return {
        "/etc/os-release": f'PRETTY_NAME="Ubuntu {variant.version}"\nNAME="Ubuntu"\n'
        f'VERSION_ID="{variant.version}"\nID=ubuntu\nID_LIKE=debian\n',
    }


DEBIAN = Image(
    repository="docker.io/library/debian",
    variants={
        **tags(49_280_000, "13", "latest", "13", "trixie"),
        **tags(48_480_000, "12", "12", "bookworm"),
        **tags(53_700_000, "11", "11", "bullseye"),
        **tags(50_500_000, "10", "10", "buster"),
        **tags(45_400_000, "9", "9", "stretch"),
        **tags(29_770_000, "13", "trixie-slim", "13-slim", "stable-slim", flavor="slim"),
        **tags(28_230_000, "12", "bookworm-slim", "12-slim", flavor="slim"),
        **tags(31_300_000, "11", "bullseye-slim", "11-slim", flavor="slim"),
        **tags(27_200_000, "10", "buster-slim", "10-slim", flavor="slim"),
    },
    since=(8,),
    cmd=("bash",),
    env={"PATH": PATH},
    tools="debian",
    files=debian_files,
)

UBUNTU = Image(
    repository="docker.io/library/ubuntu",
    variants={
        **tags(29_720_000, "24.04", "latest", "24.04", "noble"),
        **tags(29_540_000, "22.04", "22.04", "jammy"),
        **tags(27_510_000, "20.04", "20.04", "focal"),
        **tags(25_700_000, "18.04", "18.04", "bionic"),
        **tags(46_500_000, "16.04", "16.04", "xenial"),
        **tags(70_200_000, "14.04", "14.04", "trusty"),
    },
    cmd=("/bin/bash",),
    env={"PATH": PATH},
    tools="debian",
    files=_ubuntu_files,
)
