// What a learner has beside a check that fails: hints, one at a time, and the word that the answer is right.
import { h, inline } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { page } from "./page";

interface Told {
  hint: string;
  /** Seconds until the next one may be asked for; null: this is the last. */
  wait: number | null;
}

/** A hint, asked for when it is opened; the next one is offered after it. How many there are is not said. */
export function hintOf(check: string, after = 0): HTMLElement {
  const said = h("p", { role: "status" });
  const box = h("details", { class: "check-hint" }, h("summary", {}, after ? t("checks.another_hint") : t("checks.hint")), said);
  let asked = false;
  const ask = async (): Promise<void> => {
    if (asked) return;
    asked = true;
    try {
      const told = await request<Told>("POST", `${page.base}hint/`, { check, after });
      said.replaceChildren(...inline(told.hint));
      if (told.wait !== null) box.append(later(hintOf(check, after + 1), told.wait));
    } catch (error) {
      asked = false; // opened again, it is asked again
      said.textContent = error instanceof RequestError ? error.message : t("http.offline");
    }
  };
  box.addEventListener("toggle", () => void (box.open && ask()));
  return box;
}

function later(hint: HTMLElement, seconds: number): HTMLElement {
  if (seconds <= 0) return hint;
  const place = h("p", { class: "check-wait" }, t("checks.pause", { seconds }));
  window.setTimeout(() => place.replaceWith(hint), seconds * 1_000);
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
