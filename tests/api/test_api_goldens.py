"""Defaults as a create stores them: `x.input.yaml` becomes `x.output.yaml`. `--update` writes the outputs anew."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from api_bench import BY_KIND, created

from cluster_engine.apimachinery.cow import freeze

FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.name.removesuffix(".input.yaml") for path in FOLDER.glob("*.input.yaml"))


def _plain(value: Any) -> Any:
    """Plain dicts and lists, which YAML prints without anchors."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, update_goldens: bool) -> None:
    made = _plain(created(yaml.safe_load((FOLDER / f"{name}.input.yaml").read_text())))
    output = FOLDER / f"{name}.output.yaml"
    if update_goldens:
        output.write_text(yaml.safe_dump(made))
    assert made == yaml.safe_load(output.read_text())


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_idempotent_and_shared(name: str) -> None:
    """What has its defaults comes back as the very same object; and it is valid."""
    made = created(yaml.safe_load((FOLDER / f"{name}.input.yaml").read_text()))
    kind = BY_KIND[made["kind"]]
    made = freeze(made)
    assert kind.default(made) is made
    assert kind.validate(made) == []
