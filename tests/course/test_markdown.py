"""Course Markdown: what each construct becomes, and what never gets through."""

from __future__ import annotations

import re

import pytest
from course import markdown
from course.text import localized

from labs.kit import questions
from labs.kit.blocks import Block

# (id, source, what must be in the HTML, what must not)
CASES = [
    ("heading", "## Two words", ['<h2 id="two-words">'], []),
    ("a stray title", "# Title", ["<h2"], ["<h1"]),
    ("command", "```sh\nkubectl get pods\n```", ['data-run="kubectl get pods"', "code-one"], []),
    ("blank to fill in", "```sh norun\nkubectl label node <name> a=b\n```", ["code-sh"], ["data-run"]),
    ("not swept, but runs", "```sh norun\nkubectl get pod -w\n```", ['data-run="kubectl get pod -w"'], []),
    ("transcript", "```console\n$ ls\na.txt\n```", ['data-run="ls"'], []),
    ("output", "```text\nls\n```", [], ["data-run"]),
    ("file", "```yaml file=pod.yaml\nkind: Pod\n```", ['data-file="pod.yaml"', "code-head"], ["data-run"]),
    ("unknown language", "```nonsense\n<b>\n```", ["&lt;b&gt;"], ["<b>"]),
    ("note", "::: note\nText\n:::", ['class="aside aside-note" role="note"', ">Note<"], []),
    ("titled warning", "::: warning Mind the gap\nText\n:::", ["aside-warning", "Mind the gap"], []),
    ("table", "|a|\n|-|\n|b|", ['class="table-scroll"', 'tabindex="0"', "<td>b</td>"], []),
    (
        "figure",
        '![A loop](figure:control-loop "Round")',
        ["<svg", 'aria-label="A loop"', "Round"],
        ["<p><fig"],
    ),
    ("unknown figure", "![A loop](figure:nothing)", ["<em>A loop</em>"], ["<img"]),
    ("raw HTML", "<script>alert(1)</script>", ["&lt;script&gt;"], ["<script"]),
    ("bad link", "[x](javascript:alert(1))", [], ["href"]),
    ("event in a title", '[x](http://a "\\" onclick=\\"y")', [], ['onclick="']),
    ("style in an info string", '```sh" style="color:red\nx\n```', [], ['style="']),
    ("Chinese lines", "第一行，\n第二行", ["第一行，第二行"], []),
    ("mixed lines", "第一行\nPod", ["第一行 Pod"], []),
]


@pytest.mark.parametrize(("source", "present", "absent"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_render(source: str, present: list[str], absent: list[str]) -> None:
    html = markdown.render(source).html
    assert [text for text in present if text not in html] == []
    assert [text for text in absent if text in html] == []


def test_contents_have_unique_anchors() -> None:
    page = markdown.render("## Same\n\n### 节点\n\n## Same\n\n#### deep")
    assert [(h.level, h.text, h.anchor) for h in page.headings] == [
        (2, "Same", "same"),
        (3, "节点", "节点"),
        (2, "Same", "same-2"),
    ]


TEXTS = [
    ("exact", {"en": "a", "zh-hans": "b"}, "zh-hans", "b"),
    ("as Django spells it", {"en": "a", "zh-hans": "b"}, "zh-Hans", "b"),
    ("region", {"en": "a"}, "en-gb", "a"),
    ("missing", {"en": "a"}, "zh-hans", "a"),
    ("plain text", "a", "zh-hans", "a"),
    ("empty", {}, "en", ""),
]


@pytest.mark.parametrize(("text", "language", "expected"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_localized(text: dict[str, str] | str, language: str, expected: str) -> None:
    assert localized(text, language) == expected


QUESTION = """Before.

::: question
How *many*?

- [ ] One <b>.
  No, `two`.
- [x] Two.
  Yes.
:::

After. ![?](question:7)
"""


def test_a_question_opens_answer_by_answer() -> None:
    html = markdown.render(QUESTION).html
    assert html.count("<details") == 2
    assert "How <em>many</em>?" in html
    assert "<summary>One &lt;b&gt;.</summary>" in html
    assert "<p>No, <code>two</code>.</p>" in html
    assert html.index("is-wrong") < html.index("is-right")
    assert html.index("Before.") < html.index("<section") < html.index("After.")
    assert "<p><section" not in html


def test_blocks_that_run_say_their_number() -> None:
    blocks = [Block(0, "a: b\n", "a.yaml", False), Block(1, "ls\n", "", True), Block(2, "x: y\n", "", False)]
    fences = ["yaml file=a.yaml\na: b", "text\nls", "sh\nls", "yaml\nx: y", "sh\nother"]
    text = "\n\n".join(f"```{fence}\n```" for fence in fences)
    html = markdown.render(text, blocks).html
    assert re.findall(r'data-block="(\d)"', html) == ["0", "1"]
    assert "data-block" not in markdown.render(text).html


def test_a_block_that_runs_on_a_copy_says_of_what() -> None:
    blocks = [
        Block(0, "ls\n", "", True, name="made"),
        Block(1, "pwd\n", "", True, own="made"),
        Block(2, "id\n", "", True, own=""),
    ]
    text = "```sh name=made\nls\n```\n\n```sh own=made\npwd\n```\n\n```sh own\nid\n```\n"
    html = markdown.render(text, blocks).html
    assert re.findall(r'data-block="(\d)"(?: data-own="(.*?)")?', html) == [
        ("0", ""),
        ("1", "made"),
        ("2", ""),
    ]
    assert html.count("data-own") == 2


def test_a_prediction_names_the_block_that_it_is_about() -> None:
    text = "::: predict\nHow *many*?\n\n- /^1$/ One <b>.\n  No.\n- /^2$/ Two.\n  Yes.\n:::\n\n```sh\necho 2\n```\n"
    block = Block(3, "echo 2\n", "", True, questions.predictions_of(text)[0])
    html = markdown.render(text, [block]).html
    assert 'data-predict="3"' in html
    assert html.count('type="radio" name="predict-0"') == 2
    assert "How <em>many</em>?" in html
    assert "One &lt;b&gt;." in html
    assert "/^1$/" not in html
    assert html.index("data-predict") < html.index('data-block="3"')
    assert "data-predict" not in markdown.render(text).html
