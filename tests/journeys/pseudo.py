"""A language that nobody speaks: every string of the page's scripts between marks, and longer by half.

What is shown without marks is not translatable; what does not fit now will not fit in some language.
"""

from __future__ import annotations

import re
from typing import Any

BEGIN, END = "⟦", "⟧"

#: What speaks of a cluster, or is told by the server: names, times, numbers, and sentences that hold some.
DATA = (
    "time, code, option, .num, .badge, .why-chain, .why-remedies, .why-table td, .why-table th, .past-since, "
    ".detail-why, .clock-said, .past-said, .why-said, .box-title, .box h2, .lane-name, .track, .pod, .thing, .tag, "
    ".pods, .bar, .part, .ticker-last, .ticker-list, .facts-list dd, .detail-list, .map-detail h2, .map-table td, "
    ".map-table th[scope=row], .past-branch, .notice-error, .beside-map, figure"
)
#: Words that are the same in every language.
SAME = frozenset({"CPU", "Pods", "IP", "kubectl describe", "A+", "A−"})
PLACES = "dd-clock, dd-past, dd-timeline, dd-map, dialog[open]"

_LEFT = """([places, data]) => {
    const found = new Set();
    for (const root of document.querySelectorAll(places)) {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const { parentElement, data: text } = walker.currentNode;
            if (text.trim() && parentElement.checkVisibility() && !parentElement.closest(data)) found.add(text.trim());
        }
        for (const each of root.querySelectorAll('[title], [placeholder], [aria-label]')) {
            if (!each.checkVisibility() || each.closest(data)) continue;
            for (const name of ['title', 'placeholder', 'aria-label']) {
                if (name === 'placeholder' && each.id) continue;
                if (each.getAttribute(name)?.trim()) found.add(each.getAttribute(name).trim());
            }
        }
    }
    return [...found];
}"""

_CUT = """places => {
    const found = [];
    const parts = 'button, summary, label, h2, h3, h4, th, p';
    for (const each of document.querySelectorAll(`:is(${places}) :is(${parts})`)) {
        if (!each.checkVisibility() || each.closest('.visually-hidden, .bar-label, .clock-label')) continue;
        const style = getComputedStyle(each);
        const clips = style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis';
        if (clips && each.scrollWidth > each.clientWidth + 1) found.push(`cut: ${each.textContent}`);
        const { left, right, width } = each.getBoundingClientRect();
        const scrolls = each.closest('.why-table, .map-scroll, .lanes');
        if (width && !scrolls && (left < -1 || right > innerWidth + 1)) found.push(`outside: ${each.textContent}`);
    }
    return found;
}"""


def stretched(text: str) -> str:
    """Between marks, longer by half; what is to be filled in stays. `_SPEAK` does the same in the page."""
    return f"{BEGIN}{text}{' ~~~~~' * max(1, len(text) // 12)}{END}"


_SPEAK = """document.addEventListener('readystatechange', () => {
    if (document.readyState !== 'interactive') return; // all is read, and no script of the page has run yet
    for (const block of document.querySelectorAll('script[id^="strings-"]')) {
        const told = Object.entries(JSON.parse(block.textContent)).map(([key, text]) =>
            [key, `⟦${text}${' ~~~~~'.repeat(Math.max(1, Math.floor(text.length / 12)))}⟧`]);
        block.textContent = JSON.stringify(Object.fromEntries(told));
    }
});"""


def speak(page: Any) -> None:
    """From the next document on its scripts speak that language."""
    page.add_init_script(_SPEAK)


def left_out(page: Any) -> list[str]:
    """What is shown and was not translated."""
    texts = page.evaluate(_LEFT, [PLACES, DATA])
    return [
        text for text in texts if BEGIN not in text and text not in SAME and re.search("[A-Za-z]{2}", text)
    ]


def cut(page: Any) -> list[str]:
    """Texts of controls that are cut, or stand outside the page."""
    found: list[str] = page.evaluate(_CUT, PLACES)
    return found
