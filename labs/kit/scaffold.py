"""Makes the folder of a new lab: a small, working lab to change."""

from __future__ import annotations

from pathlib import Path

from labs.kit.catalog import Lesson
from labs.kit.sweep import SLUG

FILES = {
    "lab.yaml": """slug: {slug}
nodes: 3
seed: 1
minutes: 15
title:
  en: "{slug}"
  zh-hans: "{slug}"
summary:
  en: One sentence that says what the learner will do.
  zh-hans: 用一句话说明学习者要做什么。
""",
    "setup.yaml": "# Manifests that are applied before the learner begins.\n",
    "instructions.en.md": """Make a ConfigMap named `hello` whose key `greeting` is `ahoy`.

```sh
kubectl get configmaps
```
""",
    "instructions.zh-hans.md": """创建名为 `hello` 的 ConfigMap，键 `greeting` 的值为 `ahoy`。

```sh
kubectl get configmaps
```
""",
    "check.py": '''"""Checks of the lab {slug}."""

from labs.kit.checking import Fail, Reader, check, t


@check(
    "greeting",
    title=t("The ConfigMap greets", "ConfigMap 会打招呼"),
    hint=t("kubectl create configmap takes --from-literal.", "kubectl create configmap 支持 --from-literal。"),
)
def greeting(cluster: Reader) -> None:
    value = cluster.need("configmaps", "hello").get("data", {{}}).get("greeting", "")
    if value != "ahoy":
        raise Fail(t("`greeting: ahoy`", "`greeting: ahoy`"), f"`{{value}}`", "kubectl get configmap hello -o yaml")
''',
    "solution.sh": "kubectl create configmap hello --from-literal=greeting=ahoy\n",
    "wrong/other-words.sh": "# fails: greeting\nkubectl create configmap hello --from-literal=greeting=goodbye\n",
}


def new_lab(lesson: Lesson, slug: str) -> Path:
    """The folder of the new lab. Raises ValueError for a bad slug or one that exists."""
    if not SLUG.fullmatch(slug):
        raise ValueError(f"slug: expected lower-case words with dashes, found {slug!r}")
    folder = lesson.path / "labs" / slug
    if folder.exists():
        raise ValueError(f"{folder} exists already")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(slug=slug), encoding="utf-8")
    return folder
