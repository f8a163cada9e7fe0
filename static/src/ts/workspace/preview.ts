// The page of a Pod or Service, in a frame that can reach nothing of this site: what port-forward and proxy are for.
import { h, icon } from "../lib/dom";
import { request, RequestError } from "../lib/http";
import { t } from "../lib/i18n";
import { on, page, type Previewed } from "./page";

const dialog = h("dialog", { class: "dialog preview", "aria-labelledby": "preview-title" });
const title = h("h2", { id: "preview-title" });
const port = h("input", { id: "preview-port", type: "number", min: 1, max: 65535, required: true, inputmode: "numeric" });
const said = h("p", { class: "preview-said", role: "status" });
const frame = h("iframe", { sandbox: "allow-scripts allow-forms", referrerpolicy: "no-referrer" });
let shown: Previewed | undefined;

async function load(): Promise<void> {
  if (!shown) return;
  shown.port = Number(port.value);
  said.textContent = t("preview.loading");
  try {
    // A new address each time: they are good for some minutes only.
    const { url } = await request<{ url: string }>("POST", `${page.base}preview/`, shown);
    frame.src = url;
    said.textContent = t("preview.through");
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    frame.removeAttribute("src");
    said.textContent = error.message;
  }
}

export function setUpPreview(): void {
  const bar = h(
    "form",
    { class: "preview-bar" },
    title,
    h("label", { for: "preview-port" }, t("preview.port")),
    port,
    h("button", { type: "submit", class: "button button-small" }, t("preview.open")),
    h("button", { type: "button", class: "bar-button", title: t("preview.close"), "aria-label": t("preview.close"), onclick: () => dialog.close() }, icon("cross")),
  );
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    void load();
  });
  frame.title = t("preview.frame");
  dialog.append(bar, said, frame);
  dialog.addEventListener("close", () => frame.removeAttribute("src"));
  document.body.append(dialog);
  on("dd-preview", (wanted) => {
    shown = { ...wanted };
    const { kind, namespace, name } = wanted;
    title.textContent = `${kind === "pods" ? "Pod" : "Service"} ${namespace === "default" ? "" : `${namespace}/`}${name}`;
    port.value = String(wanted.port);
    if (!dialog.open) dialog.showModal();
    void load();
  });
}
