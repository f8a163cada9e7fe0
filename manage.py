#!/usr/bin/env python
"""Django's command line for Drydock: ``python manage.py <command>``.

`platform/` is a source root, not a package (a package of that name would hide the standard
library's `platform`), so it is put on the path here, next to the repository root that holds
`cluster_engine` and `labs`.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Run a management command with the settings of this checkout."""
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
