// The programs that the pages come from: each on a free port, with a data folder that disappears; and a line to a
// program that can be cut.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

function binary(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} must name the program to test`);
  return path;
}

/** The database that tests/with-postgres has started, if it has. */
export const DATABASE = process.env.PROCESS_TEST_POSTGRES;

const folder = () => mkdtemp(join(tmpdir(), "process-browser-"));
const remove = (path) => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });

// Whatever ends the tests ends the programs too.
const alive = new Set();
process.once("exit", () => { for (const one of alive) one.kill("SIGKILL"); });

/** A program that prints its address first. */
class Program {
  #spawned;

  constructor(data, start) {
    this.data = data;
    this.start = start;
  }

  async open() {
    const spawned = this.start(new URL(this.url ?? "http://127.0.0.1:0").host);
    alive.add(spawned);
    spawned.once("exit", () => alive.delete(spawned));
    this.#spawned = spawned;
    const lines = createInterface(this.#spawned.stdout);
    const ended = once(this.#spawned, "exit").then(([code]) => { throw new Error(`the program ended with ${code}`); });
    const [line] = await Promise.race([once(lines, "line"), ended]);
    ended.catch(() => {});
    lines.resume();
    this.url = line.trim();
    return this;
  }

  /** As `kill -9` does it. */
  async kill() {
    if (this.#spawned.exitCode !== null || this.#spawned.signalCode !== null) return;
    const gone = once(this.#spawned, "exit");
    this.#spawned.kill("SIGKILL");
    await gone;
  }

  async close() {
    await this.kill();
    await remove(this.data);
  }

  /** Runs of these processes, of the fixtures, wait half the way from here on, until they are released. */
  async hold(...processes) {
    await Promise.all(processes.map((process) => writeFile(join(this.data, `hold-${process}`), "")));
  }

  async release(...processes) {
    await Promise.all(processes.map((process) => remove(join(this.data, `hold-${process}`))));
  }

  /** What a client that is no browser gets. */
  async json(path, options) {
    const answer = await fetch(new URL(path, this.url), { headers: { accept: "application/json" }, ...options });
    if (!answer.ok) throw new Error(`${path} gave ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** Starts a run and gives it as JSON. */
  run(route, input = {}) {
    const headers = { accept: "application/json", "content-type": "application/json" };
    return this.json(`/${route}/start`, { method: "POST", headers, body: JSON.stringify(input) });
  }

  /** The run as JSON once `is` is true of it. */
  async until(id, is) {
    for (let tries = 0; tries < 500; tries += 1) {
      const run = await this.json(`/runs/${id}`);
      if (is(run)) return run;
      await new Promise((wake) => { setTimeout(wake, 20); });
    }
    throw new Error(`${id} did not get there within 10 seconds`);
  }

  /** The texts of the whole log. */
  async log(id) {
    const answer = await fetch(new URL(`/runs/${id}/log`, this.url));
    const lines = (await answer.text()).split("\n").filter(Boolean);
    return lines.map((line) => line.replace(/^\S+ \S+\s+/, ""));
  }
}

/** The examples: a job takes `pace` seconds. They come back on the same port. */
export async function examples({ pace = 2 } = {}) {
  const data = await folder();
  return new Program(data, (address) => spawn(binary("PROCESS_EXAMPLES_BIN"), {
    env: { ...process.env, PROCESS_ADDR: address, PROCESS_DATA: data, PROCESS_PACE: String(pace) },
    stdio: ["ignore", "pipe", "ignore"],
  })).open();
}

/** The fixtures: processes that do what real ones do, and what they should not. `stalledAfter` is in ms; `nested` is where they are
    mounted. `access` has them ask who may: the cookie `user` says who one is. `node` is their name among those that share a
    database, with short leases. */
export async function fixtures({ stalledAfter, nested, access, node } = {}) {
  const data = await folder(), rest = stalledAfter ? [String(stalledAfter)] : [];
  const env = {
    ...process.env, PROCESS_TEST_HOLD: data,
    ...(nested ? { PROCESS_TEST_NESTED: nested } : {}), ...(access ? { PROCESS_TEST_ACCESS: "1" } : {}),
    ...(node ? { PROCESS_STORE: DATABASE, PROCESS_NODE: node, PROCESS_TEST_LEASE_MS: "2000" } : {}),
  };
  const start = () => spawn(binary("PROCESS_CHILD_BIN"), [data, ...rest], { env, stdio: ["ignore", "pipe", "ignore"] });
  return new Program(data, start).open();
}

const JSON_ACCEPTED = /^accept: application\/json\r$/im;

/** What a login layer says to those who are not signed in, by how it says it. */
const LOGINS = {
  redirect: "303 See Other\r\nLocation: /login",
  elsewhere: "302 Found\r\nLocation: http://localhost:PORT/login",
  unauthorized: "401 Unauthorized\r\nContent-Type: text/html",
  forbidden: "403 Forbidden\r\nContent-Type: text/html",
  page: "200 OK\r\nContent-Type: text/html",
};

/**
 * A line to a program, which notes what is asked over it. While it is cut, connections are refused; while it is bad,
 * they get a 502; while it is signed out, what a login layer answers; `delay` is in ms, for each piece of an answer.
 */
export async function openLine(program, { delay = 0 } = {}) {
  const sockets = new Set(), requests = [], streams = new Set();
  let bad = null, refused = 0, held = null, logins = 0;
  const server = net.createServer((near) => {
    near.on("error", () => {});
    sockets.add(near);
    near.on("close", () => sockets.delete(near));
    if (bad) {
      near.once("data", (data) => {
        refused += 1;
        const [, path] = data.toString("latin1").split(" ");
        const page = "<!DOCTYPE html><title>Sign in</title><h1>Sign in</h1>";
        if (path === "/login") {
          logins += 1;
          return near.end(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n${page}`);
        }
        if (/^(200|401|403) /.test(bad)) return near.end(`HTTP/1.1 ${bad}\r\nConnection: close\r\n\r\n${page}`);
        near.end(`HTTP/1.1 ${bad}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      });
      return;
    }
    // A program that was started again may have another port.
    const { hostname, port } = new URL(program.url);
    const far = net.connect(Number(port), hostname);
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    near.on("data", (data) => {
      for (const [, method, path, headers] of data.toString("latin1").matchAll(/^(GET|HEAD|POST) (\S+) HTTP\/1\.[01]\r\n([^]*?)\r\n\r\n/gm)) {
        const isPoll = JSON_ACCEPTED.test(headers);
        requests.push({ method, path, isPoll });
        if (!isPoll && method === "GET" && /\/(events|start)(\?|$)/.test(path)) {
          streams.add(near);
          near.on("close", () => streams.delete(near));
        }
      }
    });
    near.pipe(far);
    const kept = [];
    let snapshots = 0;
    if (delay === 0) {
      far.on("data", (data) => {
        const isHeld = held !== null && streams.has(near) && snapshots >= held;
        snapshots += data.includes("event: snapshot") ? 1 : 0;
        if (isHeld) kept.push(data);
        else near.write(data);
      });
      far.on("end", () => near.end(Buffer.concat(kept)));
    } else {
      far.on("data", (data) => setTimeout(() => near.destroyed || near.write(data), delay));
      far.on("end", () => setTimeout(() => near.end(), delay));
    }
  });
  const listen = (on) => once(server.listen(on, "127.0.0.1"), "listening");
  await listen(0);
  const own = server.address().port;
  const cutAll = () => { for (const socket of sockets) socket.destroy(); };
  const cut = async () => {
    const closed = once(server, "close");
    server.close();
    cutAll();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${own}/`,
    /** What was asked, in order. */
    requests,
    /** The streams that were asked for. */
    asked: () => requests.filter(({ method, path, isPoll }) => method === "GET" && !isPoll && /\/events\?/.test(path)).map(({ path }) => new URL(path, "http://line")),
    /** How often the events were asked for as JSON. */
    polled: () => requests.filter(({ path, isPoll }) => isPoll && /\/events\?/.test(path)).length,
    /** How many times it was bad to somebody. */
    refused: () => refused,
    /** How many times the login page was asked for. */
    logins: () => logins,
    /** How many streams are open. */
    open: () => streams.size,
    cut,
    mend: () => listen(own),
    /** Every connection ends, and new ones get a 502, or what is named, until it is good again. */
    turnBad(answer = "502 Bad Gateway") {
      bad = answer;
      cutAll();
    },
    turnGood() { bad = null; },
    /** Nobody is signed in any more. Streams that are open stay so, unless they end. */
    signOut(how = "redirect", { ends = true } = {}) {
      bad = LOGINS[how].replace("PORT", own);
      for (const socket of sockets) if (ends || !streams.has(socket)) socket.destroy();
    },
    /** From here on, streams are held back until they end, or from after so many snapshots of each. */
    hold(snapshots = 0) { held = snapshots; },
    pass() {
      held = null;
      cutAll();
    },
    close: () => (server.listening ? cut() : undefined),
  };
}
