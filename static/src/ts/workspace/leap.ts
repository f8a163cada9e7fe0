// Go on to a moment: over a stretch of the cluster's time, or until something holds.
import { h, icon } from "../lib/dom";
import { RequestError } from "../lib/http";
import { t } from "../lib/i18n";

export type Leap = { action: "advance"; seconds: number } | { action: "until"; until: string };

const STRETCHES = [10, 60, 600, 3600];
/** What can be waited for, to choose from and to change. */
const EXAMPLES = ["pod/web Ready", "deploy/web Available", "event Scheduled", "deploy/web self.status.readyReplicas == 3"];

/** The dialog. `go` does what was chosen, or not yet; what it raises is told. Until it is done the dialog stays open. */
export function leapDialog(go: (leap: Leap) => Promise<boolean>): HTMLDialogElement {
  const said = h("p", { class: "why-said", role: "status" });
  const seconds = h("select", { id: "leap-seconds" }, ...STRETCHES.map((n) => h("option", { value: n, selected: n === 60 }, t("whatif.seconds", { n }))));
  const until = h("input", { id: "leap-until", list: "leap-examples", maxlength: 2000, required: true, autocomplete: "off", spellcheck: "false", placeholder: EXAMPLES[0], "aria-describedby": "leap-about" });
  const dialog = h("dialog", { class: "dialog leap", "aria-labelledby": "leap-title" });
  const take = async (leap: Leap): Promise<void> => {
    said.textContent = t("leap.going");
    try {
      if (await go(leap)) dialog.close();
      else said.textContent = "";
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      said.textContent = error.message;
    }
  };
  const form = (act: () => Leap, ...children: HTMLElement[]): HTMLFormElement => {
    const made = h("form", { class: "whatif-bar" }, ...children);
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      void take(act());
    });
    return made;
  };
  const button = (text: string): HTMLElement => h("button", { type: "submit", class: "button button-small" }, text);
  const close = h("button", { type: "button", class: "bar-button", "aria-label": t("leap.close"), title: t("leap.close"), onclick: () => dialog.close() }, icon("cross"));
  dialog.addEventListener("close", () => (said.textContent = ""));
  dialog.append(
    h("div", { class: "why-head" }, h("h2", { id: "leap-title" }, t("leap.title")), close),
    form(() => ({ action: "advance", seconds: Number(seconds.value) }), h("label", { for: "leap-seconds" }, t("leap.over")), seconds, button(t("leap.go"))),
    form(() => ({ action: "until", until: until.value }), h("label", { for: "leap-until" }, t("leap.until")), until, button(t("leap.go"))),
    h("datalist", { id: "leap-examples" }, ...EXAMPLES.map((value) => h("option", { value }))),
    h("p", { id: "leap-about", class: "muted" }, t("leap.about")),
    said,
  );
  return dialog;
}
