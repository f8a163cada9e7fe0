// Builds the bundles into static/dist: app (every page), workspace (the lab page), watch (an instructor's look at it).
//
// Our Content-Security-Policy allows no inline style. xterm.js and CodeMirror make <style> elements at run
// time, so their calls are redirected at build time to <dd-style>, an element of ours that hands its text to
// a constructable style sheet, which the policy allows (see static/src/ts/lib/sheet.ts). Each rewrite states how often it
// must match: an upgrade that changes those calls breaks the build, not the page.
import { readFile, rm } from "node:fs/promises";
import { context, build } from "esbuild";

const REWRITES = [
  { file: /@xterm\/xterm\/lib\/xterm\.mjs$/, from: /createElement\("style"\)/g, to: 'createElement("dd-style")', count: 3 },
  {
    file: /@xterm\/xterm\/lib\/xterm\.mjs$/,
    from: /(\w+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g,
    to: "$1.style.cssText+=`${$2};`",
    count: 1,
  },
  { file: /style-mod\/src\/style-mod\.js$/, from: /createElement\("style"\)/g, to: 'createElement("dd-style")', count: 1 },
];

const strictStyles = {
  name: "strict-styles",
  setup(build) {
    const seen = new Set();
    build.onStart(() => seen.clear());
    build.onLoad({ filter: /(xterm\.mjs|style-mod\.js)$/ }, async ({ path }) => {
      let contents = await readFile(path, "utf8");
      for (const rule of REWRITES.filter((rule) => rule.file.test(path.replaceAll("\\", "/")))) {
        const found = contents.match(rule.from)?.length ?? 0;
        if (found !== rule.count) {
          return { errors: [{ text: `${path}: expected ${rule.count} × ${rule.from}, found ${found}` }] };
        }
        contents = contents.replace(rule.from, rule.to);
        seen.add(rule);
      }
      return { contents, loader: "js" };
    });
    build.onEnd((result) => {
      if (result.errors.length === 0 && seen.size !== REWRITES.length) {
        result.errors.push({ text: "strict-styles: a rewritten file was not loaded; has its path changed?" });
        throw new Error("strict-styles: a rewritten file was not loaded; has its path changed?");
      }
    });
  },
};

const options = {
  entryPoints: {
    app: "static/src/ts/app.ts",
    workspace: "static/src/ts/workspace/main.ts",
    watch: "static/src/ts/workspace/watch.ts",
  },
  outdir: "static/dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  external: ["../fonts/*"], // they lie beside dist/ as they are
  plugins: [strictStyles],
  logLevel: "info",
};
// light-dark() is left as it is: the browsers that we support have it, and esbuild must not guess.
const styles = {
  entryPoints: { app: "static/src/css/app.css", workspace: "static/src/css/workspace.css", style: "static/src/css/style.css" },
  outdir: "static/dist",
  bundle: true,
  minify: true,
  external: ["*.woff2"],
  logLevel: "info",
};

await rm("static/dist", { recursive: true, force: true });
if (process.argv.includes("--watch")) {
  for (const each of [options, styles]) await (await context(each)).watch();
} else {
  await Promise.all([build(options), build(styles)]);
}
