// Small functions for building DOM without a framework. Text is always set as text, never as markup.

type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | EventListener | undefined>;

/** Make an element: `h("button", { type: "button", onclick: run }, "Run")`. `class` and aria/data names are attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  check: "M4 10.5l4 4 8-9",
  cross: "M5 5l10 10M15 5L5 15",
  back: "M4.5 10a5.5 5.5 0 1 0 1.8-4.1M4 3.5v3.3h3.3M10 6.8v3.4l2.4 1.6",
  pause: "M7 4.5v11M13 4.5v11",
  step: "M5 4.5v11l8-5.5zM15 4.5v11",
  skip: "M4 4.5v11l6-5.5zM10 4.5v11l6-5.5zM17 4.5v11",
  play: "M6.5 4.5v11l9-5.5z",
  copy: "M7 7h9v9H7zM4 13V4h9",
  edit: "M4 16l.7-3.5L13 4.2a1.5 1.5 0 0 1 2.1 0l.7.7a1.5 1.5 0 0 1 0 2.1L7.5 15.3z",
  fold: "M4 12l6-6 6 6",
  paste: "M7 4.5H5V17h10V4.5h-2M7 3.5h6v3H7z",
  predict: "M7 7.4a3 3 0 1 1 4.4 2.6c-1 .5-1.4 1.2-1.4 2.3v.4M10 15.8h.1",
  reader: "M3.5 8v4h3l4 3.5v-11L6.5 8zM13 7.5a4 4 0 0 1 0 5M15.2 5.5a7 7 0 0 1 0 9",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M13 13l3.5 3.5",
  plus: "M10 4v12M4 10h12",
  save: "M4 4h9.5L16 6.5V16H4zM7 4v3.5h5V4M7 16v-4.5h6V16",
  warning: "M10 3.5l7 12.5H3zM10 8v4M10 14h.1",
} as const;

/** A decorative icon; the label belongs to the control around it. */
export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** The element that must be there: the template and the script are one thing, so a miss is a bug. */
export function need<T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T {
  const element = root.querySelector<T>(selector);
  if (!element) throw new Error(`missing in the page: ${selector}`);
  return element;
}

/** Text with `code` in backticks, as checks write it, to nodes. */
export function inline(text: string): (Node | string)[] {
  return text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}
