// Tools on code blocks: copy everywhere; in the workspace also "run in terminal" and "open in editor".
import { h, icon } from "./dom";
import { t } from "./i18n";

async function copy(text: string, button: HTMLElement, label: HTMLElement): Promise<void> {
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = t("code.copied");
  } catch {
    label.textContent = t("code.copy_failed");
  }
  button.setAttribute("aria-live", "polite");
  window.setTimeout(() => (label.textContent = before), 1800);
}

function tool(name: "copy" | "play" | "edit", text: string, extra: string, act: (label: HTMLElement) => void): HTMLButtonElement {
  const label = h("span", {}, text);
  return h("button", { type: "button", class: extra, onclick: () => act(label) }, icon(name), label);
}

/** Give each code block below `root` its tools. Actions are announced as `dd-run` and `dd-open` events. */
export function decorate(root: HTMLElement, withActions: boolean): void {
  for (const block of root.querySelectorAll<HTMLElement>(".code")) {
    const code = block.querySelector("pre")?.textContent ?? "";
    const { run, file } = block.dataset;
    const tools = h("div", { class: "code-tools" });
    if (withActions && run) {
      tools.append(
        tool("play", t("code.run"), "code-run", () =>
          document.dispatchEvent(new CustomEvent("dd-run", { detail: { command: run } })),
        ),
      );
    }
    if (withActions && file) {
      tools.append(
        tool("edit", t("code.open"), "code-open", () =>
          document.dispatchEvent(new CustomEvent("dd-open", { detail: { path: file, content: code } })),
        ),
      );
    }
    const button: HTMLButtonElement = tool("copy", t("code.copy"), "code-copy", (label) => {
      void copy(run ?? code, button, label);
    });
    tools.append(button);
    block.append(tools);
  }
}
