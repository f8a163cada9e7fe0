"""``manage.py lab new|lint|test``: makes and proves labs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labs.kit import catalog, scaffold, sweep
from labs.kit.catalog import Lab


class Command(BaseCommand):
    """Thin: the work is in the ``labs`` package."""

    requires_system_checks: list[str] = []
    help = "Make a lab (new), read the labs for mistakes (lint), or prove them with the real kubectl (test)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        new = verbs.add_parser("new", help="a folder with everything that a lab needs")
        new.add_argument("lesson", help="the slug of the lesson that it belongs to")
        new.add_argument("slug")
        for name in ("lint", "test"):
            verb = verbs.add_parser(name)
            verb.add_argument("slugs", nargs="*")
            verb.add_argument("--all", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["verb"] == "new":
                folder = self._new(options["lesson"], options["slug"])
                self.stdout.write(f"made {folder}")
                self.stdout.write(
                    f"now add `  - {folder.name}` under labs: in {folder.parent.parent / 'lesson.yaml'}"
                )
                return
            labs = self._labs(options)
        except (catalog.CatalogError, ValueError) as error:
            raise CommandError(str(error)) from error
        self._prove(labs, run=options["verb"] == "test")

    def _new(self, lesson: str, slug: str) -> Path:
        try:
            return scaffold.new_lab(catalog.ROOT, catalog.load().lesson(lesson), slug)
        except KeyError:
            known = ", ".join(each.slug for each in catalog.load().lessons)
            raise CommandError(f"there is no lesson {lesson!r}; there are {known}") from None

    def _labs(self, options: dict[str, Any]) -> list[Lab]:
        course = catalog.load()
        if options["all"]:
            return course.labs
        if not options["slugs"]:
            raise CommandError("name labs, or use --all")
        try:
            return [course.lab(slug) for slug in options["slugs"]]
        except KeyError as error:
            known = ", ".join(lab.slug for lab in course.labs)
            raise CommandError(f"there is no lab {error}; there are {known}") from error

    def _prove(self, labs: list[Lab], run: bool) -> None:
        bad = 0
        for lab in labs:
            findings = sweep.prove(lab) if run else sweep.lint(lab)
            bad += bool(findings.problems)
            checks = f"{len(lab.checks)} checks, {len(lab.wrong)} wrong answers"
            self.stdout.write(f"{'FAILED' if findings.problems else 'ok    '} {lab.slug} ({checks})")
            for problem in findings.problems:
                self.stdout.write(f"       - {problem}")
        self.stdout.write(f"labs: {len(labs) - bad} ok, {bad} failed")
        if bad:
            raise CommandError(f"{bad} of {len(labs)} labs are not proved")
