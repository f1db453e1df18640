// The people who look: browsers with a note of all that their pages did, and the test that each promise is. A test
// fails also when a page reported an error, broke its own policy, or asked a third party.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { browser, closeBrowser } from "./chromium.mjs";

// ms: for what must happen next, and for a test in all.
const PATIENCE = 30_000;
const LIMIT = 120_000;

after(closeBrowser);

// Runs in the page before its own script: notes every state of every part, with the time.
function notes() {
  addEventListener("securitypolicyviolation", (event) => {
    const { target, sourceFile, lineNumber, documentURI } = event;
    console.error("policy violated:", event.violatedDirective, event.blockedURI, event.sample, documentURI, `${sourceFile}:${lineNumber}`,
      target.outerHTML?.slice(0, 300));
  });
  const seen = { lines: [], bar: [], window: [], clicks: [], shift: 0 };
  window.seen = seen;
  const parts = ["status", "percent", "count", "text", "stage", "left", "note", "announcement"];
  const add = (name, value) => {
    const list = (seen[name] ??= []);
    if (list.length === 0 || list.at(-1).value !== value) list.push({ value, at: performance.now() });
  };
  const look = () => {
    add("window", document.title);
    const panel = document.querySelector("[data-run]");
    if (!panel) return;
    for (const name of parts) {
      const part = panel.querySelector(`[data-part="${name}"]`);
      if (part) add(name, part.textContent.trim());
    }
    const bar = panel.querySelector("progress");
    if (bar) add("bar", bar.hasAttribute("value") ? bar.value : null);
    add("lines", panel.querySelectorAll("[data-seq]").length);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  addEventListener("click", () => seen.clicks.push(performance.now()), true);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      seen.shift += entry.value;
      seen.moved = [...seen.moved ?? [], ...entry.sources.map(({ node, previousRect: { y, x }, currentRect }) =>
        `${node?.nodeName}.${node?.className} ${x},${y} → ${currentRect.x},${currentRect.y}`)];
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** One person: a page of a browser of its own, and what it did. */
class Viewer {
  constructor(context, page, origin, allowed) {
    Object.assign(this, { context, page, origin, allowed, complaints: [], requests: [] });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    context.on("request", (request) => this.requests.push({
      method: request.method(), type: request.resourceType(), url: request.url(),
    }));
  }

  part(name) {
    return this.page.locator(`[data-part="${name}"]`);
  }

  /** Waits until the run of this page has this status, in words; its row in a list may say so as well. */
  async status(words) {
    await this.page.locator('article.run [data-part="status"]', { hasText: new RegExp(`^${words}$`) }).waitFor();
  }

  /** Waits until the run is at least so far. */
  async percent(least) {
    await this.page.waitForFunction((least) => document.querySelector("progress[value]")?.value >= least, least);
  }

  /** Presses Start and follows to the run; gives its id. */
  async start() {
    await this.page.getByRole("button", { name: "Start" }).click();
    return this.atRun();
  }

  async atRun() {
    await this.page.waitForURL(/\/runs\/[0-9a-f-]{36}$/);
    return this.page.url().split("/").at(-1);
  }

  /** All states that a part was in, in order; with the times when asked. */
  async seen(name, withTimes = false) {
    const list = await this.page.evaluate((name) => window.seen[name] ?? [], name);
    return withTimes ? list : list.map(({ value }) => value);
  }

  /** The numbers of the log's lines, as they stand. */
  lines() {
    return this.page.locator("[data-seq]").evaluateAll((lines) => lines.map((line) => Number(line.dataset.seq)));
  }

  /** The labels and texts of the log's lines, as they stand. */
  texts() {
    return this.page.locator("[data-seq]").evaluateAll((lines) => lines.map((line) =>
      [...line.querySelectorAll(":scope > :not(time)")].map((part) => part.textContent).join(" ")));
  }

  /** Waits until the log stands there to its last line, which may be drawn after what is around it; it is to say this. */
  async logged(texts) {
    await this.page.locator("[data-seq]").nth(texts.length - 1).waitFor();
    assert.deepEqual(await this.texts(), texts);
  }

  /** The result's fields by their labels, once they are drawn. */
  async result() {
    const rows = this.page.locator(".result > .fields > div");
    await rows.first().waitFor();
    return Object.fromEntries(await rows.evaluateAll((rows) =>
      rows.map((row) => [row.querySelector("dt").textContent, row.querySelector("dd").textContent])));
  }

  /** What is to be seen when a test has failed, and what the server says of it: for who reads the report. */
  async report() {
    const page = await this.page.locator("body").innerText({ timeout: 1_000 }).catch(String);
    const headers = { accept: "application/json" };
    const said = await fetch(this.page.url(), { headers, signal: AbortSignal.timeout(1_000) }).then((answer) => answer.text()).catch(String);
    console.log(`${this.page.url()} showed:\n${page.slice(0, 2_000)}\nand the server says: ${said.slice(0, 1_000)}`);
  }

  documents() {
    return this.requests.filter(({ type }) => type === "document").length;
  }

  check() {
    const complaints = this.complaints.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
    assert.deepEqual(complaints, [], "the page complained");
    const strangers = this.requests.filter(({ url }) => !url.startsWith("data:") && new URL(url).origin !== this.origin);
    assert.deepEqual(strangers, [], "the page asked a third party");
  }
}

/** A promise: `body` is handed the means to open programs and pages, which are checked and closed at its end. */
export function promise(name, body) {
  test(name, { timeout: LIMIT + 15_000 }, async () => {
    const opened = [], viewers = [];
    const means = {
      /** Closes a program, or whatever else can be closed, at the end. */
      async use(closable) {
        const used = await closable;
        opened.push(used);
        return used;
      },
      /** A new person at this address, of this program. `allowed` are complaints that belong to the test. Who is not
          `shared` has a browser without shared workers. */
      async open(url, { allowed = [], of = { url }, shared = true, ...rest } = {}) {
        const context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 }, ...rest });
        context.setDefaultTimeout(PATIENCE);
        if (rest.javaScriptEnabled !== false) await context.addInitScript(notes);
        if (!shared) await context.addInitScript(() => { delete window.SharedWorker; });
        const viewer = new Viewer(context, await context.newPage(), new URL(of.url).origin, allowed);
        opened.push(context);
        viewers.push(viewer);
        await viewer.page.goto(String(url));
        return viewer;
      },
    };
    // The test's own time ends first, so that what it has opened is closed.
    let timer;
    const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error("it took too long")), LIMIT); });
    try {
      await Promise.race([body(means), late]);
      for (const viewer of viewers) viewer.check();
    } catch (error) {
      for (const viewer of viewers) await viewer.report();
      throw error;
    } finally {
      clearTimeout(timer);
      for (const one of opened.reverse()) await one.close();
    }
  });
}

/** True when each value is at least the one before it. */
export const climbs = (values) => values.every((value, index) => index === 0 || value >= values[index - 1]);

/** 1, 2, … up to `last`. */
export const upTo = (last) => Array.from({ length: last }, (_, index) => index + 1);
