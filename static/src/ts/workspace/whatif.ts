// What if: something is tried beside the cluster, for a stated time. What would happen is told, and what would be
// different; the cluster itself is not touched, until one says so.
import { drawPicture, type Picture } from "../lib/beside";
import { h, icon } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { emit, on, page, type Tried } from "./page";

interface Act {
  label: string;
  /** As the endpoint takes it. */
  asked: { action: string; resource?: string; namespace?: string; name: string };
  /** What does it for good. */
  command: string;
}

interface Answer {
  story: { at: string; text: string }[];
  untold: number;
  changes: { what: string; text: string }[];
  more: number;
  maps: { same: Picture; other: Picture };
}

const TIMES = [10, 60, 600];
const dialog = h("dialog", { class: "dialog why", "aria-labelledby": "whatif-title" });
const act = h("select", { id: "whatif-act" });
const seconds = h("select", { id: "whatif-seconds" }, ...TIMES.map((n) => h("option", { value: n, selected: n === 60 }, t("whatif.seconds", { n }))));
const said = h("p", { class: "why-said muted", role: "status" });
const body = h("div", { class: "why-body" });
const keep = h("button", { type: "button", class: "button", hidden: true, onclick: () => doIt() }, t("whatif.do"));
const branch = h("button", { type: "button", class: "button button-main", hidden: true, onclick: () => void keepIt() }, t("whatif.keep"));
let acts: Act[] = [];

function chosen(): Act | undefined {
  return acts[act.selectedIndex];
}

function actsOf({ resource, namespace, name, node }: Tried): Act[] {
  const kind = resource.replace(/s$/, "");
  const scope = namespace === "default" || namespace === "" ? "" : ` -n ${namespace}`;
  const found: Act[] = [{ label: t("whatif.delete", { name }), asked: { action: "delete", resource, namespace, name }, command: `kubectl delete ${kind} ${name}${scope}` }];
  if (resource === "pods") found.push({ label: t("whatif.kill", { name }), asked: { action: "kill", namespace, name }, command: `fault kill ${name} "" ${namespace}` });
  if (node)
    found.push(
      { label: t("whatif.drain", { node }), asked: { action: "drain", name: node }, command: `kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data --force` },
      { label: t("whatif.power", { node }), asked: { action: "power-off", name: node }, command: `fault power ${node} off` },
      { label: t("whatif.cut", { node }), asked: { action: "cut-off", name: node }, command: `fault link ${node} cut` },
    );
  return found;
}

function doIt(): void {
  const one = chosen();
  if (!one) return;
  dialog.close();
  emit("dd-run", { command: one.command });
}

/** The run goes on by what came of it, on a branch. */
async function keepIt(): Promise<void> {
  const one = chosen();
  if (!one) return;
  try {
    const wanted = { action: "keep", name: `${t("whatif.if")} ${one.label}`.slice(0, 60), whatif: { ...one.asked, seconds: Number(seconds.value) } };
    await request("POST", `${page.base}branches/`, wanted);
    dialog.close();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    said.textContent = error.message;
  }
}

function map(id: string, title: string, picture: Picture): HTMLElement {
  return h("section", { "aria-labelledby": id }, h("h3", { id }, title), drawPicture(picture) ?? h("p", { class: "muted" }, t("whatif.empty")));
}

function section(id: string, title: string, list: HTMLElement, rest: string | null): HTMLElement {
  return h("section", { "aria-labelledby": id }, h("h3", { id }, title), list, rest ? h("p", { class: "muted" }, rest) : null);
}

async function ask(): Promise<void> {
  const one = chosen();
  if (!one) return;
  said.textContent = t("whatif.loading");
  keep.hidden = branch.hidden = true;
  body.replaceChildren();
  try {
    const answer = await request<Answer>("POST", `${page.base}whatif/`, { ...one.asked, seconds: Number(seconds.value) });
    said.textContent = t("whatif.untouched");
    const story = h("ol", { class: "why-chain" }, ...answer.story.map(({ at, text }) => h("li", {}, h("time", { class: "num muted", datetime: at }, at.slice(11, 19)), h("span", {}, text))));
    const changes = h("ul", { class: "why-remedies" }, ...answer.changes.map(({ what, text }) => h("li", { "data-what": what }, text)));
    body.replaceChildren(
      h("div", { class: "whatif-maps" }, map("whatif-same", t("whatif.left"), answer.maps.same), map("whatif-other", t("whatif.then"), answer.maps.other)),
      section("whatif-changes", answer.changes.length ? t("whatif.changes") : t("whatif.same"), changes, answer.more ? t("whatif.more", { n: answer.more }) : null),
      section("whatif-story", t("whatif.story"), story, answer.untold ? t("whatif.more", { n: answer.untold }) : null),
    );
    keep.hidden = branch.hidden = false;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    said.textContent = error.message;
  }
}

export function setUpWhatIf(): void {
  const close = h("button", { type: "button", class: "bar-button", "aria-label": t("whatif.close"), title: t("whatif.close"), onclick: () => dialog.close() }, icon("cross"));
  const form = h(
    "form",
    { class: "whatif-bar" },
    h("label", { for: "whatif-act" }, t("whatif.if")),
    act,
    h("label", { for: "whatif-seconds" }, t("whatif.after")),
    seconds,
    h("button", { type: "submit", class: "button button-small" }, t("whatif.ask")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask();
  });
  dialog.append(h("div", { class: "why-head" }, h("h2", { id: "whatif-title" }, t("whatif.title")), close), form, said, body, h("div", { class: "dialog-buttons" }, keep, branch));
  document.body.append(dialog);
  on("dd-whatif", (tried) => {
    acts = actsOf(tried);
    act.replaceChildren(...acts.map(({ label }) => h("option", {}, label)));
    said.textContent = "";
    keep.hidden = branch.hidden = true;
    body.replaceChildren();
    if (!dialog.open) dialog.showModal();
    act.focus();
  });
}
