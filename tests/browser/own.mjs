// Pages that are not ours, on a program's origin and under a policy as strict as ours, and what the types of the
// element say of it.

export const ELEMENT = '<script type="module" src="/assets/process-progress.js"></script>';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; worker-src 'self'; " +
  "require-trusted-types-for 'script'; trusted-types process";

/** A person at a page of somebody's own, with this in its body and this style. */
export async function openOwn(open, program, body, { head = ELEMENT, css = "", before, ...options } = {}) {
  const viewer = await open("about:blank", { of: program, ...options });
  const serve = (path, contentType, text) => viewer.page.route(new URL(path, program.url).href, (route) =>
    route.fulfill({ contentType, headers: { "content-security-policy": POLICY }, body: text }));
  await serve("/own.css", "text/css", css);
  await serve("/own", "text/html", `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Own</title>
    <link rel="icon" href="data:,"><link rel="stylesheet" href="/own.css">${head}<main>${body}</main></html>`);
  await before?.(viewer.page);
  await viewer.page.goto(new URL("/own", program.url).href);
  return viewer;
}

/** The element on its page; of several, the first. */
export const element = ({ page }) => page.locator("process-progress").first();

/** A part of the element, inside of it or in one of its slots. */
export const partOf = (viewer, name) => element(viewer).locator(`:is([part="${name}"], [data-part="${name}"])`);

/** Waits until the part says this. */
export const says = (viewer, name, words) => partOf(viewer, name).filter({ hasText: words }).first().waitFor({ state: "attached" });

/** What the .d.ts files name, as they are served. */
export async function typed(program) {
  const read = async (name) => (await fetch(new URL(`/assets/${name}`, program.url))).text();
  const [own, client] = [await read("process-progress.d.ts"), await read("client.d.ts")];
  const prose = own.replaceAll(/\n \*/g, " ");
  const names = (of, until) => [...prose.split(`${of}: `)[1].split(until)[0].matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
  const members = (text, of) => [...text.split(of)[1].split("\n}")[0].matchAll(/^ {2}(?:readonly )?(\w+)[?(:]/gm)]
    .map(([, name]) => name).filter((name) => !name.endsWith("EventListener"));
  return {
    own, client,
    attributes: prose.split("Attributes: ")[1].split(".  ")[0].split(";").map((one) => /`([\w-]+)`/.exec(one)[1]),
    slots: names("Slots", "."),
    parts: names("Parts", "."),
    properties: names("Custom properties", "."),
    members: members(own, "export class ProcessProgress extends HTMLElement {"),
    events: members(client, "export interface ConnectionEvents {"),
    // Those of the client by another name, and its own.
    heard: [...members(client, "export interface ConnectionEvents {").map((name) => `process-${name}`),
      ...[...own.matchAll(/"(process-[\w-]+)": CustomEvent/g)].map(([, name]) => name)],
    connection: members(client, "export class Connection extends EventTarget {"),
    options: members(client, "export interface ConnectOptions {"),
  };
}
