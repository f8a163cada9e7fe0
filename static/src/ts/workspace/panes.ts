// Panes: which one is in front, how large each is, and how the keyboard moves between them.
import { need } from "../lib/dom";
import { on, type View } from "./page";

const STORE = "dd-panes";

interface Sizes {
  /** Width of the guide in percent of the page. */
  guide: number;
  /** Height of the upper pane in percent of the right side. */
  top: number;
}

const LIMITS: Record<keyof Sizes, [min: number, max: number]> = { guide: [20, 60], top: [15, 85] };
const START: Sizes = { guide: 32, top: 50 };

function stored(): Sizes {
  try {
    return { ...START, ...(JSON.parse(localStorage.getItem(STORE) ?? "{}") as Partial<Sizes>) };
  } catch {
    return START;
  }
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
  const name = element.dataset.sash as keyof Sizes;
  const vertical = element.getAttribute("aria-orientation") === "vertical";
  const [min, max] = LIMITS[name];
  const set = (value: number): void => {
    sizes[name] = Math.round(Math.min(max, Math.max(min, value)) * 10) / 10;
    grid.style.setProperty(`--${name}`, `${sizes[name]}%`);
    element.setAttribute("aria-valuenow", String(Math.round(sizes[name])));
  };
  const keep = (): void => localStorage.setItem(STORE, JSON.stringify(sizes));
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
      keep();
    };
    element.addEventListener("pointerup", end, { once: true });
    element.addEventListener("pointercancel", end, { once: true });
    down.preventDefault();
  });
  element.addEventListener("dblclick", () => {
    set(START[name]);
    keep();
  });
  element.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 2;
    const moves: Record<string, number> = vertical
      ? { ArrowLeft: sizes[name] - step, ArrowRight: sizes[name] + step, Home: min, End: max }
      : { ArrowUp: sizes[name] - step, ArrowDown: sizes[name] + step, Home: min, End: max };
    const target = moves[event.key];
    if (target === undefined) return;
    event.preventDefault();
    set(target);
    keep();
  });
}

/** F6 and Shift-F6 go round the panes: terminal and editor keep Tab for themselves. */
function cycle(event: KeyboardEvent): void {
  if (event.key !== "F6") return;
  event.preventDefault();
  const stops: [HTMLElement, () => void][] = [];
  const add = (pane: HTMLElement, target: () => HTMLElement | null): void => {
    if (pane.offsetParent !== null) stops.push([pane, () => target()?.focus()]);
  };
  add(need("#guide"), () => need("dd-guide"));
  add(need("#top-pane"), () => need(`dd-${need("#workspace").dataset.top ?? "map"}`));
  add(need("#terminal-pane"), () => need("dd-terminal"));
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
    button.addEventListener("click", () => show(grid, button.dataset.top as View));
  }
  on("dd-show", ({ view }) => show(grid, view));
  document.addEventListener("keydown", cycle);
}
