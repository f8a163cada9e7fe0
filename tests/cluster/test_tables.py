"""Every table lists every file beside it: a file that is not in its table does nothing, silently."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import cluster_engine
import labs
from cluster_engine.cloud_controller_manager import CLOUD_CONTROLLERS
from cluster_engine.cluster import Cluster
from cluster_engine.container_runtime import images
from cluster_engine.container_runtime.image import Image
from cluster_engine.kube_apiserver import admission
from cluster_engine.kube_controller_manager import CONTROLLERS
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.terminal.programs import PROGRAMS
from labs.kit import catalog

ENGINE = Path(cluster_engine.__file__).parent


def files_of(things: Iterable[Any]) -> set[str]:
    """The names of the files that classes and functions were defined in."""
    return {thing.__module__.rpartition(".")[2] for thing in things}


def image_files() -> set[str]:
    """The names of the image files of which something is listed."""
    return {name for name in vars(images) if _serves(name)}


def _serves(name: str) -> bool:
    module = vars(images)[name]
    if not getattr(module, "__name__", "").startswith(f"{images.__name__}."):
        return False
    values = [v for found in vars(module).values() for v in (found if isinstance(found, tuple) else (found,))]
    return any(isinstance(value, Image) and value in images.IMAGES for value in values)


TABLES = {
    "cloud_controller_manager": (r"^class \w+\(CloudController\)", files_of(CLOUD_CONTROLLERS)),
    "kube_controller_manager": (r"^class \w+\((Controller|Component)\)", files_of(CONTROLLERS)),
    "kube_scheduler/plugins": (r"^class \w+\((Shape)?Plugin\)", files_of(PLUGINS)),
    "kube_apiserver/admission": (r"^class \w+\(Plugin\)", files_of(admission.PLUGINS)),
    "terminal/programs": (
        r"\bProgram\(",
        files_of(code for each in PROGRAMS.values() if (code := each.on or each.run)),
    ),
    "container_runtime/images": (r"^\w+ = Image\(", image_files()),
}
"""What makes a file of the folder an entry, and which files are listed."""


@pytest.mark.parametrize("folder", TABLES)
def test_every_file_is_listed(folder: str) -> None:
    entry, listed = TABLES[folder]
    files = {p.stem for p in (ENGINE / folder).glob("*.py") if re.search(entry, p.read_text(), re.MULTILINE)}
    assert files
    assert files <= listed


def test_every_lab_and_lesson_folder_is_listed() -> None:
    root, course = Path(labs.__file__).parent, catalog.load()
    assert {path.parent for path in root.glob("*/*/lesson.yaml")} == {
        root / lesson.folder for lesson in course.lessons
    }
    assert {path.parent for path in root.glob("*/*/labs/*/lab.yaml")} == {
        root / lab.folder for lab in course.labs
    }


@pytest.mark.parametrize("name", [controller.name for controller in CONTROLLERS])
def test_every_controller_may_do_something(name: str) -> None:
    """One without rules could write nothing, and would only be seen by a cluster that never settles."""
    cluster = Cluster(nodes=0, boot=False)
    client = vars(cluster.components[name])["client"]
    everybody = cluster.server.authorizer.rules(replace(client._user, username="nobody"), "default")
    assert set(cluster.server.authorizer.rules(client._user, "default").resources) > set(everybody.resources)
