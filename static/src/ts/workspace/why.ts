// Why something is as it is, from the cause to the effect; and of a Pod, why it is here, or why nowhere.
import { h, icon } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { emit, on, page, type Asked } from "./page";

interface Score {
  raw: number;
  normalized: number;
  weighted: number;
}

interface NodeVerdict {
  name: string;
  feasible: boolean;
  plugin: string;
  reason: string;
  scores: Record<string, Score>;
  total: number | null;
}

interface Placement {
  at: string;
  number: number;
  node: string;
  message: string;
  looked_at: number;
  nodes: NodeVerdict[];
  plugins: string[];
  remedies: { plugin: string; text: string }[];
}

interface Answer {
  kind: string;
  name: string;
  chain: { at: string; text: string }[];
  placement: Placement | null;
  /** What a Pod lacks to be Ready. */
  unready: string[];
}

const dialog = h("dialog", { class: "dialog why", "aria-labelledby": "why-title" });
const title = h("h2", { id: "why-title" });
const said = h("p", { class: "why-said muted", role: "status" });
const body = h("div", { class: "why-body" });
let asked: Asked | undefined;

function time(at: string): HTMLElement {
  return h("time", { class: "num muted", datetime: at }, at.slice(11, 19));
}

function scoreCell(node: NodeVerdict, plugin: string): HTMLElement {
  const score = node.scores[plugin];
  if (!score) return h("td", {}, "");
  const how = t("why.score", { raw: score.raw, normalized: score.normalized });
  return h("td", { class: "num", title: how }, String(score.weighted));
}

function verdict(node: NodeVerdict, chosen: string): HTMLElement {
  if (node.name === chosen) return h("span", { class: "badge look-running" }, t("why.chosen"));
  if (node.feasible) return h("span", { class: "badge" }, t("why.feasible"));
  return h("span", {}, h("span", { class: "badge look-failed" }, node.plugin || t("why.refused")), ` ${node.reason}`);
}

function placed({ at, number, node, message, looked_at, nodes, plugins, remedies }: Placement): HTMLElement {
  const heads = [t("map.node"), t("why.verdict"), ...plugins, ...(plugins.length ? [t("why.total")] : [])];
  return h(
    "section",
    { "aria-labelledby": "why-place" },
    h("h3", { id: "why-place" }, node ? t("why.here", { node }) : t("why.nowhere")),
    h("p", { class: "muted" }, time(at), ` ${t("why.attempt", { number, nodes: looked_at })}`),
    node ? null : h("p", { class: "detail-why" }, message),
    h(
      "div",
      { class: "why-table", tabindex: 0, role: "region", "aria-label": t("why.table") },
      h(
        "table",
        { class: "map-table" },
        h("caption", { class: "visually-hidden" }, t("why.table")),
        h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
        h(
          "tbody",
          {},
          ...nodes.map((one) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, one.name),
              h("td", {}, verdict(one, node)),
              ...plugins.map((plugin) => scoreCell(one, plugin)),
              plugins.length ? h("td", { class: "num" }, one.total === null ? "" : String(one.total)) : null,
            ),
          ),
        ),
      ),
    ),
    remedies.length ? h("h4", {}, t("why.remedies")) : null,
    remedies.length ? h("ul", { class: "why-remedies" }, ...remedies.map(({ plugin, text }) => h("li", {}, h("strong", {}, plugin), ` ${text}`))) : null,
  );
}

function lacks(unready: string[]): HTMLElement {
  return h(
    "section",
    { "aria-labelledby": "why-unready" },
    h("h3", { id: "why-unready" }, t("why.unready")),
    h("ul", { class: "why-remedies" }, ...unready.map((text) => h("li", {}, text))),
  );
}

function show({ kind, name, chain, placement, unready }: Answer): void {
  title.textContent = t("why.title", { name: `${kind} ${name}` });
  said.textContent = t("why.lead");
  body.replaceChildren(
    unready.length ? lacks(unready) : "",
    placement ? placed(placement) : "",
    h(
      "section",
      { "aria-labelledby": "why-chain" },
      h("h3", { id: "why-chain" }, t("why.chain")),
      h("ol", { class: "why-chain" }, ...chain.map(({ at, text }) => h("li", {}, time(at), h("span", {}, text)))),
    ),
  );
}

async function load(): Promise<void> {
  if (!asked) return;
  const { resource, namespace, name } = asked;
  said.textContent = t("why.loading");
  try {
    show(await request<Answer>("GET", `${page.base}why/?${new URLSearchParams({ resource, namespace, name })}`));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    said.textContent = error.message;
  }
}

function followIt(): void {
  dialog.close();
  if (asked) emit("dd-trail", asked);
}

export function setUpWhy(): void {
  const close = h("button", { type: "button", class: "bar-button", "aria-label": t("why.close"), title: t("why.close"), onclick: () => dialog.close() }, icon("cross"));
  const again = h("button", { type: "button", class: "button button-small", onclick: () => void load() }, t("why.again"));
  const trail = h("button", { type: "button", class: "button button-small", onclick: () => followIt() }, t("trail.open"));
  dialog.append(h("div", { class: "why-head" }, title, trail, again, close), said, body);
  document.body.append(dialog);
  on("dd-why", (what) => {
    asked = what;
    title.textContent = what.name;
    body.replaceChildren();
    if (!dialog.open) dialog.showModal();
    void load();
  });
}
