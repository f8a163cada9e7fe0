"""Makes the folder of a new lab: a small, working lab to change."""

from __future__ import annotations

from pathlib import Path

from labs.kit.catalog import Lesson
from labs.kit.sweep import SLUG

FILES = {
    "lab.yaml": """\
# yaml-language-server: $schema=../../../../lab.schema.json
type: guided
difficulty: 1
minutes: 10
nodes: 3
steps:
  - id: greet
    checks: [greeting]
checks:
  - id: greeting
    object:
      kind: ConfigMap
      name: hello
      expect:
        - {field: data.greeting, is: ahoy}
""",
    "lab.en.md": """\
---
title: Say ahoy
summary: One sentence that says what the learner will do.
objectives:
  - What the learner can do afterwards.
learned:
  - What the learner takes home.
checks:
  greeting:
    title: The ConfigMap greets
    hints:
      - "`kubectl get configmaps` shows what there is."
      - A ConfigMap holds keys and values; which key is asked for?
      - "`kubectl create configmap hello --from-literal=greeting=ahoy`"
---
What stands before the first step.

## Greet {#greet}

Make a ConfigMap named `hello` whose key `greeting` is `ahoy`.

```sh
kubectl get configmaps
```
""",
    "lab.zh-hans.md": """\
---
title: 说一声 ahoy
summary: 用一句话说明学习者要做什么。
objectives:
  - 学习者学完之后会做什么。
learned:
  - 学习者带走什么。
checks:
  greeting:
    title: ConfigMap 会打招呼
    hints:
      - "`kubectl get configmaps` 会显示现有的 ConfigMap。"
      - ConfigMap 保存键和值；这里要的是哪个键？
      - "`kubectl create configmap hello --from-literal=greeting=ahoy`"
---
第一步之前的文字。

## 打招呼 {#greet}

创建名为 `hello` 的 ConfigMap，键 `greeting` 的值为 `ahoy`。

```sh
kubectl get configmaps
```
""",
    "solutions/one-command.sh": "kubectl create configmap hello --from-literal=greeting=ahoy\n",
    "wrong/other-words.sh": "# fails: greeting\nkubectl create configmap hello --from-literal=greeting=goodbye\n",
}


def new_lab(root: Path, lesson: Lesson, slug: str) -> Path:
    """The folder of the new lab in the course under ``root``. Raises ValueError for a bad slug or one that exists."""
    if not SLUG.fullmatch(slug):
        raise ValueError(f"slug: expected lower-case words with dashes, found {slug!r}")
    folder = root / lesson.folder / "labs" / slug
    if folder.exists():
        raise ValueError(f"{folder} exists already")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
