"""The blocks of lessons: which run, with what, and what comes before them."""

from dataclasses import replace

import pytest

from labs.kit import blocks, catalog

LESSONS = catalog.load().lessons
BODY = """```yaml file=a.yaml
kind: Pod
```

```sh
kubectl apply -f a.yaml
```

```sh norun
kubectl delete <name>
```

```text
not a block
```

```yaml
fragment: true
```

```yaml file=b.yaml
metadata: {generateName: report-}
```

```yaml file=configs/kustomization.yaml
resources: [a.yaml]
```

```yaml file=two.yaml
kind: Pod
---
kind: Pod
```

```sh
kubectl get pods
```
"""
LESSON = replace(LESSONS[0], body=dict.fromkeys(catalog.LANGUAGES, BODY))


def test_what_a_block_runs():
    assert [block.script for block in blocks.of(LESSON)] == [
        "kubectl apply --dry-run=server -f a.yaml",
        "kubectl apply -f a.yaml\n",
        "",
        "",
        "kubectl create --dry-run=server -f b.yaml",
        "",
        "",
        "kubectl get pods\n",
    ]


@pytest.mark.parametrize(
    ("wanted", "done", "run"),
    [
        pytest.param(0, set(), [0], id="a file needs nothing"),
        pytest.param(1, set(), [1], id="the first"),
        pytest.param(7, set(), [1, 7], id="what comes before, without what does not run"),
        pytest.param(7, {1}, [7], id="what has run"),
        pytest.param(1, {1, 7}, [1], id="again"),
    ],
)
def test_what_is_run_for_a_block(wanted, done, run):
    assert [block.number for block in blocks.until(blocks.of(LESSON), wanted, done)] == run


COPIES = replace(
    LESSONS[0],
    body=dict.fromkeys(
        catalog.LANGUAGES,
        "".join(f"```sh {info}\n{n}\n```\n\n" for n, info in enumerate(["", "own", "name=b", "own=b", ""])),
    ),
)


def test_what_runs_on_a_copy_comes_before_nothing():
    found = blocks.of(COPIES)
    assert [(block.own, block.name) for block in found] == [
        (None, ""), ("", ""), (None, "b"), ("b", ""), (None, ""),
    ]  # fmt: skip
    assert [block.number for block in blocks.until(found, 4, set())] == [0, 2, 4]
    assert [block.number for block in blocks.below(found, "")] == []
    assert [block.number for block in blocks.below(found, "b")] == [0, 2]
    assert blocks.problem(found) == ""


@pytest.mark.parametrize(
    ("infos", "problem"),
    [
        pytest.param(["yaml own"], "block 1: `own` and `name=` are for commands that run", id="YAML"),
        pytest.param(["sh norun name=a"], "block 1: `own` and `name=` are for", id="what does not run"),
        pytest.param(["sh own name=a"], "block 1: what runs on a copy is gone", id="a copy of a copy"),
        pytest.param(
            ["sh own=a", "sh name=a"], "block 1: expected a block above it with `name=a`", id="below"
        ),
        pytest.param(["sh name=a", "sh name=a"], "block 2: the name 'a' is taken", id="twice"),
    ],
)
def test_what_is_wrong_with_copies_is_told(infos, problem):
    body = "".join(f"```{info}\nx\n```\n\n" for info in infos)
    found = blocks.of(replace(LESSONS[0], body=dict.fromkeys(catalog.LANGUAGES, body)))
    assert blocks.problem(found).startswith(problem)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_the_cluster_beside_each_lesson(lesson):
    lab = blocks.lab_of_run(f"lesson--{lesson.slug}")
    assert (lab.slug, lab.lesson_slug, lab.hurries) == (f"lesson--{lesson.slug}", lesson.slug, True)
    assert len(lab.slug) <= 100, "what a run's slug may take"
    assert any(block.script for block in blocks.of(lesson))


def test_other_runs_are_of_labs():
    lab = catalog.load().labs[0]
    assert blocks.lab_of_run(lab.slug) is lab
    for slug in ("lesson--nothing", "nothing"):
        with pytest.raises(KeyError):
            blocks.lab_of_run(slug)
