// A lesson's played example: one step at a time, forwards and back. Without this script all steps stand below each other.
import { drawPicture, type Picture } from "./beside";
import { h, need } from "./dom";
import { t } from "./i18n";

/** `root` holds the steps, each a list item, and the cluster's picture after each as JSON. */
export function playExample(root: HTMLElement): void {
  const steps = [...root.querySelectorAll<HTMLElement>(".example-steps > li")];
  const pictures = JSON.parse(need("script", root).textContent ?? "[]") as Picture[];
  steps.forEach((step, at) => {
    const drawn = pictures[at] ? drawPicture(pictures[at]) : null;
    if (drawn) need(".example-time", step).before(h("div", { class: "prose" }, drawn));
  });
  const said = h("p", { class: "example-said", role: "status" });
  const back = h("button", { type: "button", class: "button button-small button-plain", onclick: () => show(now - 1, true) }, t("example.back"));
  const next = h("button", { type: "button", class: "button button-small", onclick: () => show(now + 1, true) }, t("example.next"));
  let now = 0;

  function show(at: number, told: boolean): void {
    if (at < 0 || at >= steps.length) return;
    now = at;
    steps.forEach((step, number) => step.classList.toggle("is-away", number !== at));
    said.textContent = t("example.step", { n: at + 1, all: steps.length });
    for (const [button, end] of [[back, 0], [next, steps.length - 1]] as const) button.setAttribute("aria-disabled", String(at === end));
    if (told) steps[at]?.focus({ preventScroll: true });
  }

  root.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || (event.target instanceof HTMLElement && event.target.matches("pre"))) return; // there they scroll
    event.preventDefault();
    show(now + step, true);
  });
  root.append(h("div", { class: "example-foot" }, said, back, next));
  show(0, false);
}
