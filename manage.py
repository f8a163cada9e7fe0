#!/usr/bin/env python3
"""Django's command line for Drydock: ``python3 manage.py <command>``.

`platform/` is a source root, not a package (a package of that name would hide the standard
library's `platform`), so it is put on the path here, next to the repository root that holds
`cluster_engine` and `labs`.
"""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PYTHON = ROOT / ".venv" / "bin" / "python"
#: Commands that work on the sources alone: no site has to be configured for them.
ON_SOURCES = frozenset({"lab", "messages"})


def main() -> None:
    """Run a management command with the settings of this checkout."""
    if importlib.util.find_spec("django") is None:
        if not PYTHON.is_file():
            sys.exit("drydock: Django is not here yet; run `make install` first.")
        os.execv(PYTHON, [str(PYTHON), *sys.argv])  # whichever Python was typed, ours has it
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] and sys.argv[1] in ON_SOURCES:
        os.environ.setdefault("DRYDOCK_EMBEDDED", "1")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
