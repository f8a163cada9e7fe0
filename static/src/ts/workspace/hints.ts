// What a learner has beside a check that fails: hints, one at a time, and the word that the answer is right.
import { h, inline } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { page } from "./page";

/** Wall time between a hint and the last one: time to think of it first. */
const PAUSE_MS = 30_000;
/** When the last hint of a check may be read, by check; a new result does not begin the pause anew. */
const readable = new Map<string, number>();

function note(check: string, number: number): void {
  // It is read all the same where this cannot be noted.
  request("POST", `${page.base}hint/`, { check, number }).catch(() => undefined);
}

/** The first hint; each holds the next one, which is offered to whoever has read it. How many there are is not said. */
export function hintsOf(check: string, hints: string[], from = 0): HTMLElement | null {
  const hint = hints[from];
  if (hint === undefined) return null;
  const title = from ? t("checks.another_hint") : t("checks.hint");
  const box = h("details", { class: "check-hint" }, h("summary", {}, title), h("p", {}, ...inline(hint)));
  box.addEventListener(
    "toggle",
    () => {
      note(check, from + 1);
      const next = hintsOf(check, hints, from + 1);
      if (next) box.append(from > 0 && from + 1 === hints.length - 1 ? later(check, next) : next);
    },
    { once: true },
  );
  return box;
}

function later(check: string, hint: HTMLElement): HTMLElement {
  const at = readable.get(check) ?? Date.now() + PAUSE_MS;
  readable.set(check, at);
  const wait = at - Date.now();
  if (wait <= 0) return hint;
  const place = h("p", { class: "check-wait" }, t("checks.pause", { seconds: Math.ceil(wait / 1_000) }));
  window.setTimeout(() => place.replaceWith(hint), wait);
  return place;
}

export interface Sent {
  state: "sent" | "settled";
  /** What who teaches has written back. */
  reply: string;
}

/** "My answer is right": a note to who teaches. `sent` is how an earlier one stands. */
export function fillAppeal(place: HTMLElement, check: string, sent: Sent | undefined): void {
  if (sent) {
    const { state, reply } = sent;
    const parts = [h("p", { class: "check-sent" }, t(`appeal.${state}`)), ...(reply ? [h("blockquote", { class: "check-reply" }, reply)] : [])];
    place.replaceChildren(...parts);
    return;
  }
  const words = h("textarea", { rows: 3, maxlength: 1_000, id: `appeal-${check}` });
  const said = h("p", { role: "status" });
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await request("POST", `${page.base}appeal/`, { check, note: words.value });
      fillAppeal(place, check, { state: "sent", reply: "" });
      place.tabIndex = -1;
      place.focus();
    } catch (error) {
      said.textContent = error instanceof RequestError ? error.message : t("http.offline");
    }
  };
  place.replaceChildren(
    h(
      "details",
      {},
      h("summary", {}, t("appeal.title")),
      h(
        "form",
        { onsubmit: (event: Event) => void send(event) },
        h("label", { for: words.id }, t("appeal.note")),
        words,
        h("button", { type: "submit", class: "button button-small" }, t("appeal.send")),
        said,
      ),
    ),
  );
}
