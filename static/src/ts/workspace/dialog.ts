// The page's one dialog.
import { need } from "../lib/dom";

/** Ask in the page's dialog; Escape and Cancel are no. */
export function confirm(title: string, text: string, yes: string): Promise<boolean> {
  const dialog = need<HTMLDialogElement>("#confirm");
  need("#confirm-title").textContent = title;
  need("#confirm-text").textContent = text;
  need("#confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
