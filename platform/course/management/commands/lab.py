"""``manage.py lab new|lint|test|mutate|record|takehome|preview|schema|coverage``: makes, proves and shows labs."""

from __future__ import annotations

import glob
import os
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from course import preview
from labs.kit import (
    catalog,
    coverage,
    lab_schema,
    mutation,
    proof_report,
    recording,
    scaffold,
    sweep,
    takehome,
    watching,
)
from labs.kit.catalog import Course
from labs.kit.lab import Lab
from labs.kit.mutation import Mutations
from labs.kit.plays import Plays
from labs.kit.proofs import Proof, Proofs, told_apart

#: Variants of a seeded lab that are solved, unless asked otherwise.
SEEDS = 2
#: Labs that are proved side by side, unless asked otherwise: one more than there are processors, since a kubectl that
#: polls or waits leaves its own idle.
JOBS = min((os.cpu_count() or 1) + 1, 5)


def prove(root: str, slug: str, seeds: int) -> Proof:
    """One lab, in a process of a pool."""
    return sweep.proof(_course(root).lab(slug), seeds=seeds)


def mutate(root: str, slug: str, every: bool) -> list[Mutations]:
    """One lab's mutants, in a process of a pool."""
    return mutation.mutate(_course(root).lab(slug), every)


@cache
def _course(root: str) -> Course:
    """Read once by each process of a pool, which lives no longer than a command."""
    return catalog.read(Path(root))


def _known_language(lab: Lab, language: str) -> None:
    """Raises CommandError for a language in which the lab is not written."""
    if language not in lab.languages:
        raise CommandError(f"{lab.slug} is not written in {language!r}, but in {', '.join(lab.languages)}")


class Command(BaseCommand):
    """Thin: the work is in the ``labs`` package."""

    requires_system_checks: list[str] = []
    help = (
        "Make a lab (new), read the labs for mistakes (lint), prove them with the real kubectl (test), "
        "say which fields of their solutions no check notices (mutate), write one as plain manifests (takehome), "
        "play the examples of lessons and keep what came of them (record), "
        "show one as a page (preview), write the schema for editors (schema), and what the course covers (coverage)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--course", default=str(catalog.ROOT), help="the course's folder")
        verbs = parser.add_subparsers(dest="verb", required=True)
        new = verbs.add_parser("new", help="a folder with everything that a lab needs")
        new.add_argument("lesson", help="the slug of the lesson that it belongs to")
        new.add_argument("slug")
        for name in ("lint", "test", "mutate"):
            verb = verbs.add_parser(name)
            verb.add_argument("slugs", nargs="*")
            verb.add_argument("--all", action="store_true")
        test = verbs.choices["test"]
        test.add_argument(
            "--again", action="store_true", help="also what has not changed since it was proved"
        )
        test.add_argument("--seeds", type=int, default=SEEDS, help="variants of each seeded lab")
        test.add_argument("--jobs", type=int, default=JOBS, help="labs side by side")
        test.add_argument("--report", help="a folder for labs.html and labs.json")
        test.add_argument("--watch", action="store_true", help="go on, and prove again what changes")
        mutants = verbs.choices["mutate"]
        mutants.add_argument("--every", action="store_true", help="every solution, not only the model one")
        mutants.add_argument("--jobs", type=int, default=JOBS, help="labs side by side")
        home = verbs.add_parser(
            "takehome", help="a lab's start and goal as plain manifests, for a real cluster"
        )
        home.add_argument("slug")
        home.add_argument("--to", default=".", help="the folder in which the lab's folder is made")
        home.add_argument("--language", default=catalog.LANGUAGES[0])
        home.add_argument("--seed", type=int, help="of the variant")
        show = verbs.add_parser(
            "preview", help="a page with steps, checks, hints and what untouched checks say"
        )
        show.add_argument("slug")
        show.add_argument("--language", default=catalog.LANGUAGES[0])
        show.add_argument("--seed", type=int, help="of the variant")
        show.add_argument("--watch", action="store_true", help="go on, and write it again when it changes")
        record = verbs.add_parser("record", help="play the examples of lessons and write example.json")
        record.add_argument(
            "slugs", nargs="*", help="of lessons; all that have an example when none is named"
        )
        verbs.add_parser("schema", help="write lab.schema.json beside course.yaml")
        covers = verbs.add_parser("coverage", help="write what the course covers of what it is to teach")
        covers.add_argument("--page", default=str(catalog.ROOT.parent / "docs/coverage.md"))

    def handle(self, *args: Any, **options: Any) -> None:
        self.root = Path(options["course"]).resolve()
        verb = options["verb"]
        try:
            if verb == "new":
                self._new(options["lesson"], options["slug"])
            elif verb == "schema":
                (self.root / "lab.schema.json").write_text(lab_schema.as_json(), encoding="utf-8")
            elif verb == "coverage":
                concepts = self.root / "coverage.yaml"
                headings = coverage.read(concepts.read_text(encoding="utf-8"), concepts.name)
                page = coverage.markdown(catalog.read(self.root), headings)
                Path(options["page"]).write_text(page, encoding="utf-8")
            elif verb == "record":
                self._record(catalog.read(self.root), options["slugs"])
            elif verb == "mutate":
                self._mutate(self._labs(catalog.read(self.root), options), options)
            elif verb == "takehome":
                lab = self._lab(catalog.read(self.root), options["slug"])
                _known_language(lab, options["language"])
                for path in takehome.write(lab, Path(options["to"]), options["language"], options["seed"]):
                    self.stdout.write(f"wrote {path}")
            elif verb == "preview":
                self._preview(options)
            elif verb == "lint":
                self._lint(self._labs(catalog.read(self.root), options))
            elif options["watch"]:
                self._watch(options)
            else:
                self._test(options)
        except (catalog.CatalogError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("")

    def _new(self, lesson: str, slug: str) -> None:
        course = catalog.read(self.root)
        try:
            folder = scaffold.new_lab(self.root, course.lesson(lesson), slug)
        except KeyError:
            known = ", ".join(each.slug for each in course.lessons)
            raise CommandError(f"there is no lesson {lesson!r}; there are {known}") from None
        self.stdout.write(f"made {folder}")
        self.stdout.write(f"now {self._to_add(slug, folder.parent.parent / 'lesson.yaml')}")

    def _to_add(self, slug: str, lesson: Path) -> str:
        return f"add `  - {slug}` under labs: in {lesson}"

    def _record(self, course: Course, slugs: list[str]) -> None:
        lessons = [each for each in course.lessons if each.slug in slugs or (not slugs and each.example)]
        if unknown := set(slugs) - {lesson.slug for lesson in lessons}:
            raise CommandError(f"there is no lesson {', '.join(sorted(unknown))}")
        bad = 0
        for lesson in lessons:
            problems = recording.record(lesson, self.root)
            bad += bool(problems)
            self.stdout.write(f"{'FAILED' if problems else 'ok    '} {lesson.slug}")
            self._problems(problems)
        if bad:
            raise CommandError(f"{bad} of {len(lessons)} examples were not recorded")

    def _labs(self, course: Course, options: dict[str, Any]) -> list[Lab]:
        if options.get("all"):
            return course.labs
        if not options["slugs"]:
            raise CommandError("name labs, or use --all")
        return [self._lab(course, slug) for slug in options["slugs"]]

    def _lab(self, course: Course, slug: str) -> Lab:
        try:
            return course.lab(slug)
        except KeyError:
            folder = next(iter(self.root.glob(f"*/*/labs/{glob.escape(slug)}")), None)
            if folder is not None:
                lesson = folder.parent.parent / "lesson.yaml"
                raise CommandError(f"no lesson lists {slug!r}; {self._to_add(slug, lesson)}") from None
            known = ", ".join(lab.slug for lab in course.labs)
            raise CommandError(f"there is no lab {slug!r}; there are {known}") from None

    def _lint(self, labs: list[Lab]) -> None:
        bad = 0
        for lab in labs:
            problems = sweep.lint(lab).problems
            bad += bool(problems)
            self.stdout.write(f"{'FAILED' if problems else 'ok    '} {lab.slug}")
            self._problems(problems)
        self._sum(len(labs), bad)

    def _test(self, options: dict[str, Any]) -> None:
        labs = self._labs(catalog.read(self.root), options)
        memory = Proofs(settings.VAR / "proofs.json")
        found: dict[str, Proof] = {}
        if not options["again"]:
            found = {lab.slug: old for lab in labs if (old := memory.of(lab, options["seeds"])) is not None}
        due = [lab for lab in labs if lab.slug not in found]
        for count, proof in enumerate(found.values(), 1):
            self._say(count, len(labs), proof)
        for count, proof in enumerate(self._proved(due, options), len(found) + 1):
            memory.keep(proof)
            found[proof.lab] = proof
            self._say(count, len(labs), proof)
        if options["report"]:
            proof_report.write(Path(options["report"]), [found[lab.slug] for lab in labs])
        checks = told_apart(found.values())
        self.stdout.write(
            "checks: {checks}, {alone} failed alone by a wrong answer, {never_alone} never alone".format(
                **checks
            )
        )
        self._sum(len(labs), sum(bool(proof.problems) for proof in found.values()))

    def _proved(self, labs: list[Lab], options: dict[str, Any]) -> Iterator[Proof]:
        jobs = max(1, min(options["jobs"], len(labs)))
        if jobs == 1:
            yield from (sweep.proof(lab, seeds=options["seeds"]) for lab in labs)
            return
        with ProcessPoolExecutor(jobs) as pool:
            longest_first = sorted(labs, key=lambda lab: -len(lab.wrong))
            tasks = [pool.submit(prove, str(self.root), lab.slug, options["seeds"]) for lab in longest_first]
            for task in as_completed(tasks):
                yield task.result()

    def _mutate(self, labs: list[Lab], options: dict[str, Any]) -> None:
        open_questions = 0
        with ProcessPoolExecutor(max(1, min(options["jobs"], len(labs)))) as pool:
            tasks = [pool.submit(mutate, str(self.root), lab.slug, options["every"]) for lab in labs]
            for lab, task in zip(labs, tasks, strict=True):
                for found in task.result():
                    self.stdout.write(f"{lab.slug}/{found.line}")
                    self._problems([f"no check notices {what}" for what in found.survivors])
                    self._problems([f"mutants: explains nothing: {why}" for why in found.stale])
                    open_questions += len(found.survivors) + len(found.stale)
        if open_questions:
            raise CommandError(
                f"{open_questions} mutants want a check, or a sentence under mutants: in lab.yaml"
            )

    def _say(self, count: int, total: int, proof: Proof) -> None:
        self.stdout.write(f"[{count}/{total}] {proof.line}")
        self._problems(proof.problems)

    def _problems(self, problems: list[str]) -> None:
        for problem in problems:
            self.stdout.write(f"       - {problem}")

    def _sum(self, count: int, bad: int) -> None:
        self.stdout.write(f"labs: {count - bad} ok, {bad} failed")
        if bad:
            raise CommandError(f"{bad} of {count} labs are not proved")

    def _watch(self, options: dict[str, Any]) -> None:
        plays, versions = Plays(), dict[str, str]()
        for _ in watching.changes(self.root):
            try:
                labs = self._labs(catalog.read(self.root), options)
            except catalog.CatalogError as error:
                self.stdout.write(str(error))
                continue
            for lab in labs:
                if versions.get(lab.slug) != lab.version:
                    versions[lab.slug] = lab.version
                    proof = sweep.proof(lab, plays, options["seeds"])
                    self.stdout.write(proof.line)
                    self._problems(proof.problems)

    def _preview(self, options: dict[str, Any]) -> None:
        path = Path(settings.VAR) / "preview" / f"{options['slug']}.{options['language']}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        for _ in watching.changes(self.root):
            try:
                lab = self._lab(catalog.read(self.root), options["slug"])
                _known_language(lab, options["language"])
                page = preview.render(lab, options["language"], options["seed"], fresh=options["watch"])
                path.write_text(page, encoding="utf-8")
                self.stdout.write(f"wrote {path}")
            except catalog.CatalogError as error:
                if not options["watch"]:
                    raise
                self.stdout.write(str(error))
            if not options["watch"]:
                return
