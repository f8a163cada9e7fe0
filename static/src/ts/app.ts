// Every page: theme switch, copy buttons, table of contents, small courtesies. The pages work without it.
import { runBeside } from "./lib/beside";
import { decorate } from "./lib/code";
import { playExample } from "./lib/example";
import { t } from "./lib/i18n";
import { noteAnswers } from "./lib/questions";

const YEAR = 31_536_000;

function theme(): void {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
      const next = isDark ? "light" : "dark";
      root.dataset.theme = next;
      // The server reads this cookie, so that the next page comes in the right colours from its first byte.
      document.cookie = `dd_theme=${next}; path=/; max-age=${YEAR}; samesite=lax`;
    });
  }
}

function copyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
      void navigator.clipboard.writeText(text.trim()).then(() => (button.textContent = t("code.copied")));
    });
  }
}

/** Times are rendered in UTC; show them in the reader's own zone. */
function localTimes(): void {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    element.textContent = format.format(new Date(element.dateTime));
  }
}

/** Mark the section being read in the table of contents. */
function contents(): void {
  const links = new Map<string, HTMLAnchorElement>();
  for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-toc] a")) {
    links.set(decodeURIComponent(link.hash.slice(1)), link);
  }
  if (links.size === 0) return;
  const visible = new Set<string>();
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) visible.add(entry.target.id);
        else visible.delete(entry.target.id);
      }
      const here = [...links.keys()].find((id) => visible.has(id));
      if (!here) return;
      for (const [id, link] of links) {
        link.classList.toggle("is-here", id === here);
        if (id === here) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-10% 0px -70% 0px" },
  );
  for (const id of links.keys()) {
    const heading = document.getElementById(id);
    if (heading) watcher.observe(heading);
  }
}

/** Forms whose answer is data, not a page: send them quietly and show the page anew. */
function quietForms(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-quiet]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      for (const button of form.querySelectorAll("button")) button.disabled = true;
      void fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" }).finally(() =>
        window.location.reload(),
      );
    });
  }
}

/** A menu closes on Escape and on a click elsewhere. */
function menus(): void {
  const close = (keep?: EventTarget | null): void => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (!(keep instanceof Node && menu.contains(keep))) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => close(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
}

/** What a word means goes away on Escape, until the word is left. */
function terms(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const term of document.querySelectorAll(".term:is(:hover, :focus-within)")) term.classList.add("is-shut");
  });
  for (const term of document.querySelectorAll(".term")) {
    for (const left of ["pointerleave", "focusout"]) term.addEventListener(left, () => term.classList.remove("is-shut"));
  }
}

/** "/" goes to the search, unless somebody is writing. */
function search(): void {
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    const writing = at instanceof HTMLElement && (at.isContentEditable || at.closest("input, textarea, select, dd-terminal, .xterm") !== null);
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writing) return;
    const field = document.querySelector<HTMLInputElement>("[data-search]");
    if (!field) return;
    event.preventDefault();
    if (field.offsetParent === null) window.location.assign(field.form?.action ?? "/"); // narrow: it has a page of its own
    field.focus();
    field.select();
  });
}

theme();
copyButtons();
localTimes();
contents();
quietForms();
menus();
terms();
search();
for (const root of document.querySelectorAll<HTMLElement>("[data-example]")) playExample(root);
for (const root of document.querySelectorAll<HTMLElement>("[data-code]")) {
  decorate(root, "codeActions" in root.dataset);
  if (root.dataset.beside) runBeside(root, root.dataset.beside);
  if (root.dataset.review) noteAnswers(root, root.dataset.review);
}
