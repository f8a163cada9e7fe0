"""Plays a lesson's example, writes what came of it beside the lesson, and proves that its sentences are still true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cluster_engine.cluster import Cluster
from labs.kit import blocks, examples, lessons
from labs.kit.catalog import Lesson
from labs.kit.examples import Example, Shown
from labs.kit.picture import picture
from labs.kit.sweep import Findings
from labs.kit.workbench import open_cluster

SPEED = 5.0
"""Virtual seconds a second while an example is played whose time does not stand. ``sleep`` leaps."""


async def _play(example: Example, problem: Callable[[str], None]) -> list[Shown]:
    told: list[Shown] = []
    speed = 0.0 if example.stands else SPEED
    async with open_cluster(Cluster(nodes=blocks.NODES, seed=blocks.SEED), {}, speed) as bench:
        for step in example.steps:
            result = await bench.run(f"set -e\n{step.run}")
            output = lessons.printed(result.output)
            if result.status != 0:
                problem(f"a step ended with status {result.status}:\n{step.run}{output[-800:]}")
            if not any(look for _line, look in step.looked_at(output)):
                problem(f"no line of the output is one to look at, {step.look!r}:\n{step.run}{output[-800:]}")
            cluster = bench.cluster
            told.append(Shown(output, cluster.now, picture(cluster)))
    return told


def record(lesson: Lesson, root: Path) -> list[str]:
    """Plays the lesson's example and keeps it in its folder below `root`; what is wrong with it, if anything."""
    if lesson.example is None:
        return [f"there is no {examples.FILE}"]
    wrong: list[str] = []
    shown = asyncio.run(_play(lesson.example, wrong.append))
    data: dict[str, Any] = {"of": lesson.example.digest, "steps": [asdict(each) for each in shown]}
    if not wrong:
        path = root / lesson.folder / examples.RECORDING
        path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return wrong


def prove(lesson: Lesson) -> Findings:
    """Its recording is one of these steps, and played again they show what the sentences say."""
    findings = Findings(lesson.slug)
    if lesson.example is None:
        return findings
    if not lesson.example.recorded:
        findings.add(f"{examples.RECORDING}: other steps were recorded: `manage.py lab record {lesson.slug}`")
    asyncio.run(_play(lesson.example, findings.add))
    return findings
