// A session that expires, and requests without an answer: pages claim nothing that was not confirmed, and recover.

import assert from "node:assert/strict";

import { openOwn, says } from "./own.mjs";
import { fixtures, openLine } from "./servers.mjs";
import { promise, upTo } from "./viewers.mjs";

const pause = (ms) => new Promise((wake) => { setTimeout(wake, ms); });
const signedOut = "Signed out: sign in again";
// What a browser itself says of a response that is no stream, and of a redirect that the policy forbids.
const allowed = [/Failed to load|net::|MIME type|Content Security Policy|policy violated/];
const link = (viewer) => viewer.page.locator('[data-part="note"]').getByRole("link", { name: signedOut });
const cancel = (viewer) => viewer.page.getByRole("button", { name: /^Cancel/ });
/** Waits for a line that came by the stream. */
const live = async (viewer) => viewer.page.locator(`[data-seq="${(await viewer.lines()).length + 5}"]`).waitFor();
/** As a person does who has signed in again in another window. */
const comeBack = ({ page }) => page.evaluate(() => window.dispatchEvent(new Event("focus")));

for (const how of ["redirect", "elsewhere", "unauthorized", "forbidden", "page"]) {
  promise(`a sign-out is noticed at Cancel, by ${how}`, async ({ use, open }) => {
    const program = await use(fixtures());
    const line = await use(openLine(program));
    const { id } = await program.run("count", { total: 100_000, pause: 20 });
    const viewer = await open(`${line.url}runs/${id}`, { allowed });
    await live(viewer);
    line.signOut(how, { ends: false });
    await cancel(viewer).click();
    await link(viewer).waitFor();
    assert.equal(await cancel(viewer).textContent(), "Cancel");
    assert.ok(await cancel(viewer).isEnabled());
    await viewer.status("Running");
    assert.equal((await program.json(`/runs/${id}`)).status, "running");
    // It stays so, and the clock stands.
    const elapsed = await viewer.part("elapsed").textContent();
    await pause(3_000);
    assert.equal(await viewer.part("note").textContent(), signedOut);
    assert.equal(await viewer.part("elapsed").textContent(), elapsed);
    line.turnGood();
    await comeBack(viewer);
    await viewer.part("note").filter({ hasNotText: /Signed|Reconnecting/ }).waitFor({ state: "attached" });
    await cancel(viewer).click();
    await viewer.status("Cancelled");
    assert.equal(viewer.documents(), 1);
    const lines = await viewer.lines();
    assert.deepEqual(lines, upTo(lines.length));
    // The redirect was not followed, although the browser reports it.
    assert.equal(line.logins(), 0);
    viewer.requests = viewer.requests.filter(({ url }) => new URL(url).pathname !== "/login");
  });
}

promise("a sign-out that ends the stream is no lost connection", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 100_000, pause: 20 });
  for (const shared of [true, false]) {
    const viewer = await open(`${line.url}runs/${id}`, { allowed, shared });
    await live(viewer);
    line.signOut("redirect");
    await link(viewer).waitFor();
    const before = line.refused();
    await pause(3_000);
    assert.equal(line.refused(), before, "a person does not sign in every few seconds");
    assert.equal(await link(viewer).getAttribute("href"), `/runs/${id}`);
    line.turnGood();
    await link(viewer).click();
    await viewer.percent(0.01);
    assert.equal(await viewer.part("note").textContent(), "");
    assert.equal(viewer.documents(), 2);
    // Its requests would count among those of the next one.
    await viewer.page.close();
  }
});

promise("the page recovers by itself after signing in again", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 100_000, pause: 20 });
  const viewer = await open("about:blank", { of: line, allowed, shared: false });
  await viewer.page.clock.install();
  await viewer.page.goto(`${line.url}runs/${id}`);
  await live(viewer);
  line.signOut("unauthorized");
  await link(viewer).waitFor();
  line.turnGood();
  await viewer.page.clock.runFor(40_000);
  await viewer.part("note").filter({ hasText: /^$/ }).waitFor({ state: "attached" });
  await viewer.page.locator("process-progress:not([lost])").waitFor();
  assert.equal(viewer.documents(), 1);
});

promise("Pause and Force stop claim nothing either", async ({ use, open }) => {
  const program = await use(fixtures({ stalledAfter: 300 }));
  const line = await use(openLine(program));
  const { id } = await program.run("deaf", { milliseconds: 600_000 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed });
  const force = viewer.page.getByRole("button", { name: "Force stop" });
  await force.waitFor();
  line.signOut("redirect", { ends: false });
  await force.click();
  await link(viewer).waitFor();
  line.turnGood();
  await comeBack(viewer);
  await viewer.part("note").filter({ hasText: /was not confirmed: it may not have reached the server/ }).waitFor();
  await force.click();
  await viewer.status("Cancelled");
});

promise("a request without an answer is not claimed", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 100_000, pause: 20 });
  const viewer = await open(`${line.url}runs/${id}`, { allowed });
  await viewer.percent(0.01);
  const unconfirmed = viewer.part("note").filter({ hasText: "“Cancel” was not confirmed: it may not have reached the server. Try again." });
  // A proxy that does not reach the server, and a connection that breaks.
  for (const answer of [(route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }), (route) => route.abort()]) {
    await viewer.page.route(/\/cancel$/, answer, { times: 1 });
    await cancel(viewer).click();
    await unconfirmed.waitFor();
    assert.equal(await cancel(viewer).textContent(), "Cancel");
    assert.ok(await cancel(viewer).isEnabled());
    await viewer.status("Running");
  }
  // It arrived, but the answer did not: the stream tells.
  await viewer.page.route(/\/cancel$/, async (route) => {
    await route.fetch();
    await route.abort();
  });
  await cancel(viewer).click();
  await viewer.status("Cancelled");
  await unconfirmed.waitFor({ state: "detached" });
});

promise("lists tell a sign-out from a dead server", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  await program.run("count", { total: 100_000, pause: 20 });
  for (const path of ["", "runs", "count/show_progress"]) {
    const viewer = await open(line.url + path, { allowed, shared: false });
    // The note of the list, not of the bar.
    const note = viewer.page.locator('p[data-part="note"]');
    line.signOut("redirect");
    await note.getByRole("link", { name: signedOut }).waitFor();
    line.turnGood();
    await comeBack(viewer);
    await note.filter({ hasText: /^$/ }).waitFor({ state: "attached" });
    line.turnBad();
    await note.filter({ hasText: /^Reconnecting… Last update at \d\d:\d\d:\d\d$/ }).waitFor();
    line.turnGood();
    await note.filter({ hasText: /^$/ }).waitFor({ state: "attached" });
    assert.equal(viewer.documents(), 1);
    await viewer.page.close();
  }
});

promise("the element and the client know a sign-out", async ({ use, open }) => {
  const program = await use(fixtures());
  const line = await use(openLine(program));
  const { id } = await program.run("count", { total: 100_000, pause: 20 });
  const viewer = await openOwn(open, line, `<process-progress src="/runs/${id}" controls></process-progress>`, { allowed });
  await says(viewer, "text", /\d/);
  await viewer.page.evaluate(() => import("/assets/client.js"));
  line.signOut("redirect", { ends: false });
  await viewer.page.getByRole("button", { name: "Cancel" }).click();
  await says(viewer, "note", signedOut);
  await viewer.page.getByRole("button", { name: "Cancel", exact: true }).waitFor();
  const told = await viewer.page.evaluate(async () => {
    const { connection } = document.querySelector("process-progress");
    const { start } = await import("/assets/client.js");
    const refused = await start("/count", { total: 3 }).catch(({ status, message }) => ({ status, message }));
    return { isSignedOut: connection.isSignedOut, isLost: connection.isLost, isOver: connection.isOver, refused };
  });
  assert.deepEqual(told, { isSignedOut: true, isLost: true, isOver: false, refused: { status: 401, message: "signed out" } });
  line.turnGood();
  await comeBack(viewer);
  await viewer.page.locator("process-progress:not([lost])").waitFor();
  await viewer.page.getByRole("button", { name: "Cancel" }).click();
  await says(viewer, "status", "Cancelled");
});
