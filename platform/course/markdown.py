"""Course Markdown to safe HTML.

The text is CommonMark with tables, definition lists and footnotes, plus seven things of ours:

* `::: note Title` … `:::` admonitions (note, tip, warning, changed);
* fences that say what they are: `sh` is a command to run, `console` a transcript,
  `yaml file=pod.yaml` a file;
* `![text equivalent](figure:NAME "caption")`: a drawing from `templates/course/figures`, so that it follows
  the theme and its labels are translated;
* `::: question` … `:::`: a question, `- [x] answer` and `- [ ] answer`, each with an explanation indented below it;
* words of the glossary are explained where they are used first;
* `::: predict` … `:::`: what is asked before the next block runs (`labs.kit.questions`);
* headings get anchors, collected as the table of contents.

The HTML is sanitised although the course is our own: what instructors write takes the same way.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

import nh3
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from course.text import localized, reader_language
from labs.kit import questions
from labs.kit.blocks import Block
from labs.kit.glossary import Finder, Term

ADMONITIONS = ("note", "tip", "warning", "changed")
SHELL = ("sh", "bash", "shell")
LIMIT = 200_000  # characters of Markdown in one page

_FIGURE = re.compile(r"figure:([a-z0-9-]{1,40})")
_QUESTION = re.compile(r"question:(\d+)")
_PREDICT = re.compile(r"predict:(\d+)")
# A drawing or a question alone in its paragraph takes the paragraph's place: it may not stand inside <p>.
_PLACE = re.compile(r'(?:<p>)?<span class="figure-place" id="figure-(\d+)"></span>(?:</p>)?')
_CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef\u2018-\u201d\u2026]")
_BLANK = re.compile(r"<[^<>\s=][^<>\n]*>")
_FORMATTER: HtmlFormatter[str] = HtmlFormatter(nowrap=True)

_TAGS = {
    *("p", "br", "hr", "a", "em", "strong", "s", "code", "pre", "kbd", "sub", "sup"),
    *("span", "div", "section", "img", "blockquote", "h2", "h3", "h4", "h5"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "*": {"class", "id"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "th": {"scope"},
    "span": {"role", "tabindex", "aria-describedby"},
    "div": {"data-run", "data-file", "data-block", "data-own", "tabindex", "role", "aria-label"},
    "section": {"aria-label", "role"},
    "pre": {"tabindex", "role", "aria-label"},
}


@dataclass(frozen=True)
class Heading:
    """One line of the table of contents."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Page:
    """Rendered text and what was found in it."""

    html: SafeString
    headings: tuple[Heading, ...]


def render(
    text: str, blocks: Iterable[Block] = (), asked: Iterable[str] = (), terms: tuple[Term, ...] = ()
) -> Page:
    """Render one page of Markdown; longer than `LIMIT` is cut, not refused.

    `blocks`: those that may run beside it. `asked`: the ids of its questions, where answers are noted. `terms`: the
    words that are explained where they are used first.
    """
    md = _parser()
    env: dict[str, Any] = {"figures": [], "questions": [], "predictions": [], "asked": list(asked)}
    env["blocks"] = list(blocks)
    env["predicted"] = [block.number for block in env["blocks"] if block.prediction is not None]
    tokens = md.parse(_take_questions(text[:LIMIT], env), env)
    headings = _number_headings(tokens)
    _close_lines(tokens)
    if terms:
        _explain(tokens, Finder(terms, reader_language()))
    clean = _clean(md.renderer.render(tokens, md.options, env))
    clean = _PLACE.sub(lambda match: env["figures"][int(match[1])], clean)
    return Page(html=mark_safe(clean), headings=tuple(headings))  # sanitised above


@dataclass(frozen=True)
class Section:
    """What stands under one heading, as plain text; without a heading: what stands before the first one."""

    title: str
    anchor: str
    text: str


def sections(text: str) -> list[Section]:
    """The text by its headings, without code blocks, for who searches it."""
    plain = questions.PREDICT.sub(_plain_prediction, questions.BLOCK.sub(_plain_question, text[:LIMIT]))
    tokens = _parser().parse(plain)
    headings = {heading.anchor: heading for heading in _number_headings(tokens)}
    _close_lines(tokens)
    found: list[Section] = []
    title, anchor, parts = "", "", list[str]()
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "heading_open" and token.attrs.get("id") in headings:
            found.append(Section(title, anchor, " ".join(parts)))
            anchor, parts = str(token.attrs["id"]), []
            title = headings[anchor].text
        elif token.type == "inline" and (before is None or before.type != "heading_open"):
            parts.append("".join(_words(child) for child in token.children or []))
    return [*found, Section(title, anchor, " ".join(parts))]


def _plain_question(match: re.Match[str]) -> str:
    question = questions.read(match[1])
    return "\n\n".join([question.text, *(part for a in question.answers for part in (a.text, a.why))]) + "\n"


def _plain_prediction(match: re.Match[str]) -> str:
    asked = questions.prediction(match[1])
    return "\n\n".join([asked.text, *(part for g in asked.guesses for part in (g.text, g.why))]) + "\n"


def _words(token: Token) -> str:
    return " " if token.type in ("softbreak", "hardbreak") else token.content


def _clean(html: str) -> str:
    return nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"https", "http", "mailto"}, link_rel="noopener"
    )


def _take_questions(text: str, env: dict[str, Any]) -> str:
    """The text with a place for each question and prediction."""

    def take(match: re.Match[str]) -> str:
        env["questions"].append(questions.read(match[1]))
        return f"![?](question:{len(env['questions']) - 1})\n"

    def take_prediction(match: re.Match[str]) -> str:
        env["predictions"].append(questions.prediction(match[1]))
        return f"![?](predict:{len(env['predictions']) - 1})\n"

    return questions.PREDICT.sub(take_prediction, questions.BLOCK.sub(take, text))


def _parser() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    md.use(deflist_plugin).use(footnote_plugin)
    for kind in ADMONITIONS:
        md.use(container_plugin, kind, render=_admonition(kind))
    md.add_render_rule("fence", _fence)
    md.add_render_rule("image", _image)
    md.add_render_rule("table_open", _table_open)
    md.add_render_rule("table_close", _table_close)
    return md


def _number_headings(tokens: list[Token]) -> list[Heading]:
    """Give headings unique anchors; push a page's stray `#` down, since the page prints the title itself."""
    headings: list[Heading] = []
    used: set[str] = set()
    for index, token in enumerate(tokens):
        if token.type not in ("heading_open", "heading_close"):
            continue
        if token.tag == "h1":
            token.tag = "h2"
        if token.type == "heading_close":
            continue
        text = "".join(child.content for child in tokens[index + 1].children or [] if child.content)
        base = slugify(text, allow_unicode=True) or "section"
        anchor, count = base, 2
        while anchor in used:
            anchor, count = f"{base}-{count}", count + 1
        used.add(anchor)
        token.attrSet("id", anchor)
        level = int(token.tag[1])
        if level <= 3:
            headings.append(Heading(level, text, anchor))
    return headings


def _close_lines(tokens: list[Token]) -> None:
    """A line break in the source is a space, but not between Chinese characters."""
    for token in tokens:
        children = token.children or []
        for index in range(1, len(children) - 1):
            if children[index].type != "softbreak":
                continue
            before, after = _edge(children[:index], -1), _edge(children[index + 1 :], 0)
            if _CJK.match(before) or _CJK.match(after):
                children[index].type = "text"
                children[index].content = "" if _CJK.match(before) and _CJK.match(after) else " "


def _explain(tokens: list[Token], finder: Finder) -> None:
    """Where a paragraph uses a term first, what it means: shown when it is pointed at or has the focus."""
    for before, token in pairwise(tokens):
        if token.type != "inline" or before.type != "paragraph_open":
            continue
        children: list[Token] = []
        linked = 0
        for child in token.children or []:
            linked += child.nesting if child.type.startswith("link_") else 0
            children += [child] if child.type != "text" or linked else _explained(child, finder)
        token.children = children


def _explained(text: Token, finder: Finder) -> list[Token]:
    parts: list[Token] = []
    place = 0
    for start, end, term in finder.uses(text.content):
        parts.append(Token("text", "", 0, content=text.content[place:start]))
        html = (
            # No <button>: a line may break at its edges, even before a full stop.
            f'<span class="term"><span role="button" tabindex="0" aria-describedby="term-{term.id}">'
            f'{escape(text.content[start:end])}</span><span role="tooltip" id="term-{term.id}">'
            f"{escape(localized(term.text))}</span></span>"
        )
        parts.append(Token("html_inline", "", 0, content=html))
        place = end
    parts.append(Token("text", "", 0, content=text.content[place:]))
    return parts


def _edge(tokens: list[Token], place: int) -> str:
    """The character at the break: the last of what precedes it (-1), the first of what follows (0)."""
    for token in tokens[::-1] if place else tokens:
        if token.content:
            return token.content[place]
    return ""


def _admonition(kind: str) -> Callable[..., str]:
    def rule(
        renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: dict[str, Any]
    ) -> str:
        token = tokens[index]
        if token.nesting == -1:
            return "</section>\n"
        names = {
            "note": gettext("Note"),
            "tip": gettext("Tip"),
            "warning": gettext("Warning"),
            "changed": gettext("What changed"),
        }
        title = token.info.strip().removeprefix(kind).strip() or names[kind]
        return (
            # A note, no landmark: several of one page bear the same name.
            f'<section class="aside aside-{kind}" role="note" aria-label="{escape(names[kind])}">'
            f'<p class="aside-title">{escape(title)}</p>\n'
        )

    return rule


def _fence(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    token = tokens[index]
    words = token.info.split()
    language = words[0].lower() if words else "text"
    settings = dict(word.partition("=")[::2] for word in words[1:])
    code = token.content
    attributes = f' class="code code-{escape(language)}"'
    head = ""
    if file := settings.get("file", "").strip("\"'"):
        attributes += f' data-file="{escape(file)}"'
        head = f'<div class="code-head">{escape(file)}</div>'
    if command := _command(language, code, settings):
        attributes += f' data-run="{escape(command)}"'
    block = _block(code, env)
    if block is not None and block.script:
        attributes += f' data-block="{block.number}"'
        if block.own is not None:
            attributes += f' data-own="{escape(block.own)}"'
    if language in SHELL and code.count("\n") == 1:
        attributes = attributes.replace('class="code', 'class="code code-one', 1)
    label = escape(file or gettext("Code"))
    return (
        f'<div{attributes}>{head}<pre tabindex="0" role="group" aria-label="{label}">'
        f"<code>{coloured(language, code)}</code></pre></div>\n"
    )


def _block(code: str, env: dict[str, Any]) -> Block | None:
    """The lesson's block that this is; blocks come in their order."""
    waiting: list[Block] = env.get("blocks", [])
    place = next((index for index, block in enumerate(waiting) if block.code == code), None)
    if place is None:
        return None
    found = waiting[place]
    del waiting[: place + 1]
    return found


def _command(language: str, code: str, settings: dict[str, str]) -> str:
    """What "Run in terminal" would type; empty where the block is not a command."""
    # `norun` is for the course's own sweep; a reader may still run it, unless there is a <blank> to fill in.
    if "norun" in settings and _BLANK.search(code):
        return ""
    if language in SHELL:
        return code.strip("\n")
    if language == "console":
        return "\n".join(line[2:] for line in code.splitlines() if line.startswith("$ "))
    return ""


def coloured(language: str, code: str) -> str:
    """The code as HTML, its words by their kinds."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, _FORMATTER))


def _image(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    token = tokens[index]
    source = str(token.attrs.get("src", ""))
    if asked := _QUESTION.fullmatch(source):
        return _question(int(asked[1]), env)
    if asked := _PREDICT.fullmatch(source):
        return _prediction(int(asked[1]), env)
    match = _FIGURE.fullmatch(source)
    if match is None:
        return renderer.image(tokens, index, options, env)
    context = {"alt": token.content, "caption": token.attrs.get("title", ""), "name": match[1]}
    try:
        context["drawing"] = render_to_string(f"course/figures/{match[1]}.svg")
    except TemplateDoesNotExist:
        return f"<em>{escape(token.content)}</em>"
    env["figures"].append(render_to_string("course/figures/figure.html", context))
    return f'<span class="figure-place" id="figure-{len(env["figures"]) - 1}"></span>'


def _question(number: int, env: dict[str, Any]) -> str:
    """A question, each of whose answers opens to what is right or wrong about it."""
    if number >= len(env["questions"]):  # somebody wrote the place by hand
        return ""
    question = env["questions"][number]
    context = {
        "number": number,
        "id": next(iter(env["asked"][number : number + 1]), ""),
        "text": piece(question.text),
        "answers": [
            {"text": piece(a.text, inline=True), "why": piece(a.why), "right": a.right}
            for a in question.answers
        ],
    }
    env["figures"].append(render_to_string("course/question.html", context))
    return f'<span class="figure-place" id="figure-{len(env["figures"]) - 1}"></span>'


def _prediction(number: int, env: dict[str, Any]) -> str:
    """What is asked before the block that follows runs; without a script it is read like any question."""
    if number >= len(env["predictions"]):
        return ""
    prediction = env["predictions"][number]
    context = {
        "number": number,
        "block": next(iter(env["predicted"][number : number + 1]), None),
        "text": piece(prediction.text),
        "guesses": [
            {"text": piece(each.text, inline=True), "why": piece(each.why)} for each in prediction.guesses
        ],
    }
    env["figures"].append(render_to_string("course/predict.html", context))
    return f'<span class="figure-place" id="figure-{len(env["figures"]) - 1}"></span>'


def piece(text: str, inline: bool = False) -> SafeString:
    """A question's or an answer's text as HTML; `inline` without a paragraph around it."""
    md = _parser()
    env: dict[str, Any] = {"figures": [], "questions": [], "predictions": [], "asked": [], "predicted": []}
    tokens = md.parseInline(text, env) if inline else md.parse(text, env)
    _close_lines(tokens)
    return mark_safe(_clean(md.renderer.render(tokens, md.options, env)))  # sanitised here


def _table_open(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    # A wide table scrolls by itself; the region takes focus so that the keyboard can scroll it too.
    label = escape(gettext("Table"))
    return f'<div class="table-scroll" tabindex="0" role="group" aria-label="{label}"><table>\n'


def _table_close(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: dict[str, Any]
) -> str:
    return "</table></div>\n"
