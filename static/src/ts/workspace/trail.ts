// Follow the request: what a request met on its way through the API server, station by station, what followed from it,
// and the lesson that explains each station.
import { h, icon } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { on, page, type Asked } from "./page";

interface Listed {
  id: string;
  at: string;
  user: string;
  method: string;
  path: string;
  code: number;
}

interface Station {
  key: string;
  title: string;
  text: string;
  details: string[];
  lesson: string;
}

interface Way {
  stations: Station[];
  followed: { at: string; text: string }[];
  untold: number;
}

const dialog = h("dialog", { class: "dialog why", "aria-labelledby": "trail-title" });
const which = h("select", { id: "trail-which", onchange: () => void follow() });
const said = h("p", { class: "why-said muted", role: "status" });
const body = h("div", { class: "why-body" });

function lesson(slug: string): HTMLElement | null {
  return slug ? h("a", { href: page.lesson.replace("slug", slug), target: "_blank" }, t("trail.lesson")) : null;
}

function station({ key, title, text, details, lesson: slug }: Station): HTMLElement {
  return h(
    "li",
    { "data-station": key },
    h("div", {}, h("strong", {}, title), h("p", {}, text), ...details.map((detail) => h("p", { class: "muted" }, detail)), lesson(slug)),
  );
}

async function ask<T>(query: Record<string, string>): Promise<T | undefined> {
  said.textContent = t("trail.loading");
  try {
    const answer = await request<T>("GET", `${page.base}requests/?${new URLSearchParams(query)}`);
    said.textContent = "";
    return answer;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    said.textContent = error.message;
    return undefined;
  }
}

async function follow(): Promise<void> {
  body.replaceChildren();
  const way = await ask<Way>({ id: which.value });
  if (!way) return;
  const followed = way.followed.map(({ at, text }) => h("li", {}, h("time", { class: "num muted", datetime: at }, at.slice(11, 19)), h("span", {}, text)));
  body.replaceChildren(
    h("section", { "aria-labelledby": "trail-way" }, h("h3", { id: "trail-way" }, t("trail.way")), h("ol", { class: "why-chain" }, ...way.stations.map(station))),
    followed.length
      ? h(
          "section",
          { "aria-labelledby": "trail-followed" },
          h("h3", { id: "trail-followed" }, t("trail.followed")),
          h("ol", { class: "why-chain" }, ...followed),
          way.untold ? h("p", { class: "muted" }, t("whatif.more", { n: way.untold })) : null,
        )
      : "",
  );
}

async function open({ resource, namespace, name }: Asked): Promise<void> {
  which.replaceChildren();
  body.replaceChildren();
  if (!dialog.open) dialog.showModal();
  const answer = await ask<{ requests: Listed[] }>({ resource, namespace, name });
  if (!answer) return;
  which.replaceChildren(...answer.requests.map((each) => h("option", { value: each.id }, `${each.at.slice(11, 19)} ${each.method} ${each.path}`)));
  which.hidden = answer.requests.length === 0;
  if (answer.requests.length) await follow();
  else said.textContent = t("trail.none");
}

export function setUpTrail(): void {
  const close = h("button", { type: "button", class: "bar-button", "aria-label": t("trail.close"), title: t("trail.close"), onclick: () => dialog.close() }, icon("cross"));
  which.setAttribute("aria-label", t("trail.which"));
  dialog.append(h("div", { class: "why-head" }, h("h2", { id: "trail-title" }, t("trail.title")), close), which, said, body);
  document.body.append(dialog);
  on("dd-trail", (asked) => void open(asked));
}
