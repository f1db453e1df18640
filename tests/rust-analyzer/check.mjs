// Asks a real rust-analyzer what an author sees while writing a process, whole and broken in many ways:
// completion in the body, and where the names in it lead.
//
//   node tests/rust-analyzer/check.mjs     prints a table; fails when an answer is not the expected one
//
// Needs `rustup component add rust-analyzer rust-src`. Without them it says so, and fails nothing.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** The program: `attribute`, `signature` and `body` are what the cases break; `HOLE` is where one types. */
const program = ({ attribute, signature, body }) => `use process_runtime::prelude::*;

pub struct Catalog;

impl Catalog {
    pub fn products(&self) -> Vec<String> {
        Vec::new()
    }
    pub fn reprice(&self, percent: f64) -> f64 {
        percent
    }
}

#[process(${attribute})]
${signature} {
    let products = catalog.products();
    set_progress(percent);
${body}HOLE
    log("done");
}

fn elsewhere() {
    let process = RecalculatePrices::PROCESS;
    let input: RecalculatePricesInput;
}

fn main() {}
`;

const whole = {
  attribute: `title = "Recalculating prices"`,
  signature: `async fn recalculate_prices(catalog: State<Catalog>, #[field(min = 0)] percent: f64)`,
  body: "",
};
const CASES = {
  "nothing is broken": {},
  "a misspelled key": { attribute: `titel = "Recalculating prices"` },
  "no keys yet": { attribute: "" },
  "half a key": { attribute: `title = "Recalculating prices", gro` },
  "half a value": { attribute: `title = ` },
  "a misspelled key of a field": { signature: whole.signature.replace("min =", "mn =") },
  "no `async`": { signature: whole.signature.replace("async ", "") },
  "a generic parameter": { signature: whole.signature.replace("prices(", "prices<T>(") },
  "a half-written statement": { body: "    let x = catalog.;\n" },
  "a statement without an end": { body: "    let x = \n" },
  "a call without its end": { body: "    catalog.reprice(\n    );\n    if percent > {\n    }\n" },
  "a parameter that is no field": { signature: whole.signature.replace("catalog:", "other: Catalog, catalog:") },
  "a parameter of a type that does not exist": { signature: whole.signature.replace("catalog:", "other: Cat, catalog:") },
  "a wrong default": { signature: whole.signature.replace("min = 0", 'default = "ten"') },
  "a wrong type": { body: "    let x: u8 = catalog.products();\n" },
  "a name that does not exist": { body: "    nothing.at(all);\n" },
};

/** What is asked, with the text that is typed at the hole, and what must be among the answers. */
const COMPLETIONS = {
  "`catalog.`": { typed: "    catalog.", wanted: ["products", "reprice"] },
  "`let x = catalog.`": { typed: "    let x = catalog.", wanted: ["products", "reprice"] },
  "`set_pro`": { typed: "    set_pro", wanted: ["set_progress", "set_progress_of", "set_progress_text"] },
  "`perc`": { typed: "    perc", wanted: ["percent"] },
};
const DEFINITIONS = {
  "a method": { at: "catalog.pro", leads: "fn products" },
  "a helper": { at: "    set_pro", leads: "fn set_progress" },
  "a parameter": { at: "set_progress(per", leads: "percent: f64" },
  "the state's type": { at: "State<Cat", leads: "struct Catalog" },
  "the controller": { at: "= RecalculateP", leads: "recalculate_prices" },
  "the input": { at: ": RecalculateP", leads: "recalculate_prices" },
};

function installed() {
  try {
    const version = execFileSync("rust-analyzer", ["--version"], { encoding: "utf8" }).trim();
    const sysroot = execFileSync("rustc", ["--print", "sysroot"], { encoding: "utf8" }).trim();
    realpathSync(join(sysroot, "lib/rustlib/src/rust/library/core"));
    return version;
  } catch {
    return null;
  }
}

/** A crate of one file that depends on this workspace's runtime, with the versions of its lock file. */
function crate() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "process-analyzer-")));
  mkdirSync(join(folder, "src"));
  const runtime = join(root, "process-runtime");
  const manifest = `[package]\nname = "written"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\nprocess-runtime = { path = ${JSON.stringify(runtime)} }\n`;
  writeFileSync(join(folder, "Cargo.toml"), manifest);
  copyFileSync(join(root, "Cargo.lock"), join(folder, "Cargo.lock"));
  writeFileSync(join(folder, "src/main.rs"), program(whole).replace("HOLE", ""));
  return folder;
}

/** A language server on its standard streams. */
class Server {
  #next = 1;
  #waiting = new Map();
  #rest = Buffer.alloc(0);
  #quiet;

  constructor(folder) {
    this.ready = new Promise((resolve) => (this.#quiet = resolve));
    const target = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "analyzer");
    this.process = spawn("rust-analyzer", {
      cwd: folder,
      env: { ...process.env, CARGO_TARGET_DIR: target, RA_LOG: "error" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.process.stdout.on("data", (chunk) => this.#read(chunk));
  }

  #read(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#rest.subarray(0, end).toString())[1]);
      if (this.#rest.length < end + 4 + length) return;
      const message = JSON.parse(this.#rest.subarray(end + 4, end + 4 + length).toString());
      this.#rest = this.#rest.subarray(end + 4 + length);
      this.#take(message);
    }
  }

  #take(message) {
    if (message.method && message.id !== undefined) {
      const settings = message.method === "workspace/configuration" ? message.params.items.map(() => null) : null;
      this.#send({ id: message.id, result: settings });
    } else if (message.method === "experimental/serverStatus") {
      if (message.params.quiescent) this.#quiet(message.params);
    } else if (this.#waiting.has(message.id)) {
      const { resolve, reject } = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error) reject(message.error);
      else resolve(message.result);
    }
  }

  #send(message) {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  tell(method, params) {
    this.#send({ method, params });
  }

  /** Asks again when the answer was overtaken by an edit. */
  async ask(method, params) {
    for (let attempt = 0; ; attempt++) {
      const id = this.#next++;
      const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
      this.#send({ id, method, params });
      try {
        return await answer;
      } catch (error) {
        const overtaken = error.code === -32801 || error.code === -32802 || error.code === -32800;
        if (!overtaken || attempt === 20) throw new Error(`${method}: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
}

function place(text, offset) {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length - 1, character: lines.at(-1).length };
}

const version = installed();
if (!version) {
  console.log("left out: rust-analyzer is not installed (rustup component add rust-analyzer rust-src)");
  process.exit(0);
}

const folder = crate();
const uri = pathToFileURL(join(folder, "src/main.rs")).href;
const server = new Server(folder);
let failed = 0;
try {
  await server.ask("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: {
      experimental: { serverStatusNotification: true },
      textDocument: { definition: { linkSupport: true } },
    },
    initializationOptions: { checkOnSave: false, cachePriming: { enable: false } },
  });
  server.tell("initialized", {});
  let number = 1;
  const opened = program(whole).replace("HOLE", "");
  server.tell("textDocument/didOpen", {
    textDocument: { uri, languageId: "rust", version: number, text: opened },
  });
  const status = await server.ready;
  console.log(`${version}; ${status.health}${status.message ? `: ${status.message}` : ""}\n`);

  const write = (text) => {
    number += 1;
    server.tell("textDocument/didChange", {
      textDocument: { uri, version: number },
      contentChanges: [{ text }],
    });
  };
  const files = new Map();
  const textOf = (of) => {
    if (!files.has(of)) files.set(of, readFileSync(new URL(of), "utf8"));
    return files.get(of);
  };

  const questions = [...Object.keys(COMPLETIONS), ...Object.keys(DEFINITIONS)];
  console.log(`| | ${questions.join(" | ")} |\n|---|${questions.map(() => "---|").join("")}`);
  for (const [name, changes] of Object.entries(CASES)) {
    const source = program({ ...whole, ...changes });
    const cells = [];
    const judge = (question, good, found) => {
      if (!good) {
        failed += 1;
        console.error(`${name} / ${question}: found ${found}`);
      }
      cells.push(good ? "yes" : "no");
    };
    for (const [question, { typed, wanted }] of Object.entries(COMPLETIONS)) {
      const hole = source.indexOf("HOLE");
      const text = source.replace("HOLE", typed);
      write(text);
      const position = place(text, hole + typed.length);
      const answer = await server.ask("textDocument/completion", { textDocument: { uri }, position });
      const labels = (answer?.items ?? answer ?? []).map((item) => item.filterText ?? item.label);
      const offered = labels.map((label) => label.replace(/[^\w].*$/, ""));
      judge(question, wanted.every((one) => offered.includes(one)), `${offered.length} others`);
    }
    const text = source.replace("HOLE", "");
    write(text);
    for (const [question, { at, leads }] of Object.entries(DEFINITIONS)) {
      const position = place(text, text.indexOf(at) + at.length);
      const answer = await server.ask("textDocument/definition", { textDocument: { uri }, position });
      const lines = [];
      for (const target of [answer ?? []].flat()) {
        const of = target.targetUri ?? target.uri;
        const { line } = (target.targetSelectionRange ?? target.range).start;
        const lands = (of === uri ? text : textOf(of)).split("\n")[line];
        lines.push(lands.trim());
      }
      judge(question, lines.some((line) => line.includes(leads)), lines.join(" / ") || "nothing");
    }
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
} finally {
  server.process.kill();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
