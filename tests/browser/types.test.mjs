// The .d.ts files, as they are served: they accept valid TypeScript and reject misuse.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { fixtures } from "./servers.mjs";
import { promise } from "./viewers.mjs";

const OWN = new URL("./types/", import.meta.url).pathname;
const package_ = createRequire(import.meta.url).resolve("typescript/package.json");

/** A project that loads the client as pages do, with the types as they are served. */
async function project(program) {
  const folder = await mkdtemp(join(tmpdir(), "process-types-"));
  await mkdir(join(folder, "assets"));
  for (const name of ["client.d.ts", "process-progress.d.ts"]) {
    const answer = await fetch(`${program.url}assets/${name}`);
    assert.match(answer.headers.get("content-type"), /^text\/plain; charset=utf-8/);
    await writeFile(join(folder, "assets", name), await answer.text());
  }
  await cp(OWN, folder, { recursive: true });
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({
    compilerOptions: {
      strict: true, noEmit: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, target: "es2022",
      module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom", "dom.iterable"], types: [],
      paths: { "/assets/client.js": ["./assets/client.d.ts"], "/assets/process-progress.js": ["./assets/process-progress.d.ts"] },
    },
    include: ["*.ts", "assets/*.d.ts"],
  }));
  return { folder, close: () => rm(folder, { recursive: true, force: true }) };
}

/** What the compiler complains of. */
async function complaints({ folder }) {
  const { bin } = JSON.parse(await readFile(package_, "utf8"));
  const tsc = join(dirname(package_), bin.tsc);
  return new Promise((done) => {
    execFile(process.execPath, [tsc, "-p", folder, "--pretty", "false"], (error, out, err) => done(error ? `${out}${err}${error.code}` : out));
  });
}

promise("the type definitions accept use and reject misuse", async ({ use }) => {
  const program = await use(fixtures());
  const own = await use(project(program));
  assert.equal(await complaints(own), "");
  // Every type there is is used there.
  const types = ["client.d.ts", "process-progress.d.ts"].map((name) => readFile(join(own.folder, "assets", name), "utf8"));
  const named = (await Promise.all(types)).join("\n").matchAll(/^export (?:interface|type|class|function) (\w+)/gm);
  const sample = await readFile(join(own.folder, "use.ts"), "utf8");
  for (const [, name] of named) assert.match(sample, new RegExp(`\\b${name}\\b`), `${name} is not used`);
  // And the check can fail.
  await writeFile(join(own.folder, "misuse.ts"), (await readFile(join(own.folder, "misuse.ts"), "utf8")).replaceAll(/^\/\/ @ts-expect-error.*$/gm, ""));
  const found = await complaints(own);
  assert.equal(found.match(/misuse\.ts\(\d+,\d+\): error/g).length, 12, found);
});
