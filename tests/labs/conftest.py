"""A copy of the course to break."""

import shutil

import pytest

from labs.kit import catalog


@pytest.fixture
def course_copy(tmp_path):
    root = tmp_path / "labs"
    ignored = shutil.ignore_patterns("kit", "__pycache__", "__init__.py")
    shutil.copytree(catalog.ROOT, root, ignore=ignored)
    return root
