// Bundles the browser side into webui/static/dist/. Run by `npm run build`; nothing is fetched at run time.
import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "static", "dist");
const out = `${dist}.new`;

rmSync(out, { recursive: true, force: true });
await esbuild.build({
  entryPoints: {
    app: join(here, "js", "app.js"),
    form: join(here, "js", "form.js"),
    diagram: join(here, "js", "diagram.js"),
    decision: join(here, "js", "decision.js"),
    "app-style": join(here, "css", "app.css"),
    "form-style": join(here, "css", "form.css"),
    "diagram-style": join(here, "css", "diagram.css"),
    "decision-style": join(here, "css", "decision.css"),
  },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "external",
  assetNames: "fonts/[name]-[hash]",
  loader: { ".woff": "file", ".woff2": "file", ".ttf": "file", ".eot": "file", ".svg": "file" },
  logLevel: "warning",
});

// The new bundle takes the old one's place at once: a server that runs meanwhile never finds half of it.
const old = `${dist}.old`;
rmSync(old, { recursive: true, force: true });
if (existsSync(dist)) renameSync(dist, old);
renameSync(out, dist);
rmSync(old, { recursive: true, force: true });
