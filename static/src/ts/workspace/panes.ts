// Panes: which one is in front, how large each is, and how the keyboard moves between them.
import { need } from "../lib/dom";
import { t } from "../lib/i18n";
import { emit, on, type View } from "./page";

const STORE = "dd-panes";

/** What the reader has chosen; the style sheet has what nobody chose. */
interface Sizes {
  /** Width of the guide in percent of the page. */
  guide?: number;
  /** Height of the upper pane in percent of the right side. */
  top?: number;
  /** The upper pane is folded away. */
  folded?: boolean;
}

type Side = "guide" | "top";
const LIMITS: Record<Side, [min: number, max: number]> = { guide: [20, 60], top: [15, 85] };

function stored(): Sizes {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? "{}") as Sizes;
  } catch {
    return {};
  }
}

function keep(sizes: Sizes): void {
  localStorage.setItem(STORE, JSON.stringify(sizes));
}

/** Show `view`: on narrow screens alone; on wide ones the map and the editor share the upper pane. */
function show(grid: HTMLElement, view: View): void {
  grid.dataset.view = view;
  if (view === "map" || view === "editor") grid.dataset.top = view;
  for (const button of document.querySelectorAll<HTMLElement>(".ws-tabs [data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  for (const button of document.querySelectorAll<HTMLElement>(".switch [data-top]")) {
    button.setAttribute("aria-pressed", String(button.dataset.top === grid.dataset.top));
  }
}

function sash(grid: HTMLElement, element: HTMLElement, sizes: Sizes): void {
  const name = element.dataset.sash as Side;
  const vertical = element.getAttribute("aria-orientation") === "vertical";
  const [min, max] = LIMITS[name];
  /** Where it is now, in percent. */
  const place = (): number => {
    const pane = need(vertical ? "#guide" : "#top-pane").getBoundingClientRect();
    const box = need(vertical ? "#workspace" : ".ws-right").getBoundingClientRect();
    return vertical ? (pane.width / box.width) * 100 : (pane.height / box.height) * 100;
  };
  const tell = (): void => element.setAttribute("aria-valuenow", String(Math.round(sizes[name] ?? place())));
  const set = (value: number | undefined): void => {
    if (value === undefined) {
      delete sizes[name];
      grid.style.removeProperty(`--${name}`);
    } else {
      sizes[name] = Math.round(Math.min(max, Math.max(min, value)) * 10) / 10;
      grid.style.setProperty(`--${name}`, `${sizes[name]}%`);
    }
    tell();
  };
  element.setAttribute("aria-valuemin", String(min));
  element.setAttribute("aria-valuemax", String(max));
  set(sizes[name]);

  element.addEventListener("pointerdown", (down) => {
    element.setPointerCapture(down.pointerId);
    const box = need(vertical ? "#workspace" : ".ws-right").getBoundingClientRect();
    const move = (event: PointerEvent): void =>
      set(vertical ? ((event.clientX - box.left) / box.width) * 100 : ((event.clientY - box.top) / box.height) * 100);
    element.addEventListener("pointermove", move);
    const end = (): void => {
      element.removeEventListener("pointermove", move);
      keep(sizes);
    };
    element.addEventListener("pointerup", end, { once: true });
    element.addEventListener("pointercancel", end, { once: true });
    down.preventDefault();
  });
  element.addEventListener("dblclick", () => {
    set(undefined);
    keep(sizes);
  });
  element.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 2;
    const moves: Record<string, number> = vertical
      ? { ArrowLeft: place() - step, ArrowRight: place() + step, Home: min, End: max }
      : { ArrowUp: place() - step, ArrowDown: place() + step, Home: min, End: max };
    const target = moves[event.key];
    if (target === undefined) return;
    event.preventDefault();
    set(target);
    keep(sizes);
  });
}

/** The map and the editor make room for the terminal, and come back when one of them is asked for. */
function fold(grid: HTMLElement, sizes: Sizes): void {
  const button = need<HTMLButtonElement>("[data-fold]");
  const set = (folded: boolean): void => {
    sizes.folded = folded;
    grid.toggleAttribute("data-folded", folded);
    button.setAttribute("aria-expanded", String(!folded));
    const text = folded ? t("panes.unfold") : t("panes.fold");
    need("[data-fold-label]").textContent = text;
    button.title = text;
    keep(sizes);
  };
  set(sizes.folded ?? false);
  button.addEventListener("click", () => set(!sizes.folded));
  on("dd-show", ({ view }) => (view === "map" || view === "editor") && sizes.folded && set(false));
}

/** F6 and Shift-F6 go round the panes: terminal and editor keep Tab for themselves. */
function cycle(event: KeyboardEvent): void {
  if (event.key !== "F6") return;
  event.preventDefault();
  const stops: [HTMLElement, () => void][] = [];
  const add = (pane: HTMLElement, target: HTMLElement): void => {
    if (target.offsetParent !== null) stops.push([pane, () => target.focus()]);
  };
  add(need("#guide"), need("dd-guide"));
  add(need("#top-pane"), need(`dd-${need("#workspace").dataset.top ?? "map"}`));
  add(need("#terminal-pane"), need("dd-terminal"));
  const here = stops.findIndex(([pane]) => pane.contains(document.activeElement));
  const next = stops[(here + (event.shiftKey ? stops.length - 1 : 1)) % stops.length] ?? stops[0];
  next?.[1]();
}

export function setUpPanes(): void {
  const grid = need("#workspace");
  const sizes = stored();
  for (const element of grid.querySelectorAll<HTMLElement>("[data-sash]")) sash(grid, element, sizes);
  for (const button of document.querySelectorAll<HTMLElement>(".ws-tabs [data-view]")) {
    button.addEventListener("click", () => show(grid, button.dataset.view as View));
  }
  for (const button of document.querySelectorAll<HTMLElement>(".switch [data-top]")) {
    button.addEventListener("click", () => emit("dd-show", { view: button.dataset.top as View }));
  }
  fold(grid, sizes);
  on("dd-show", ({ view }) => show(grid, view));
  document.addEventListener("keydown", cycle);
}
