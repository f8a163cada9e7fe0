// Which objects are shown: by a part of their name, by labels, by fields. Terms stand between commas, and all must hold.
import type { KubeObject } from "./objects";

export type Filter = (object: KubeObject) => boolean;

const TERM = /^([^=!\s]+)\s*(!=|==?)\s*(.*)$/;
const FIELD = /^(?:metadata|spec|status)\./;

function fieldOf(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split(".")) value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  return typeof value === "object" || value === undefined ? "" : String(value);
}

/** `web`, `app=web`, `tier!=db`, `status.phase=Running, spec.nodeName=worker-1`. */
export function filterOf(text: string): Filter {
  const terms = text.split(",").map((term) => term.trim()).filter(Boolean);
  const filters = terms.map((term): Filter => {
    const [, key = "", operator, wanted = ""] = TERM.exec(term) ?? [];
    if (!operator) return ({ metadata }) => metadata.name.includes(term.toLowerCase()) || term in (metadata.labels ?? {});
    const equal = operator !== "!=";
    if (FIELD.test(key)) return (object) => (fieldOf(object, key) === wanted) === equal;
    return ({ metadata }) => (metadata.labels?.[key] === wanted) === equal;
  });
  return (object) => filters.every((filter) => filter(object));
}
