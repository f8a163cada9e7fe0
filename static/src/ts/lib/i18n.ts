// Translated strings, handed over by the page as inert JSON (course/strings.py holds the table).

type Strings = Record<string, string>;

function load(): Strings {
  const all: Strings = {};
  for (const block of document.querySelectorAll('script[type="application/json"][id^="strings-"]')) {
    Object.assign(all, JSON.parse(block.textContent ?? "{}") as Strings);
  }
  return all;
}

const strings = load();

/** The string `key` in the reader's language, with `{name}` filled from `values`. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = strings[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}
