// Starts a run from a script.

import { connect } from "./connect.js";
import { newKey } from "./key.js";
import { request } from "./request.js";

/** Starts a run of the process at `address` with this input, and follows it. */
export async function start(address, input = {}, { key = newKey(), confirmed = false, ...options } = {}) {
  const url = new URL(`${address.replace(/\/(start|show_progress)?$/, "")}/start`, document.baseURI);
  if (confirmed) url.searchParams.set("confirmed", "yes");
  const headers = { "content-type": "application/json", "idempotency-key": key };
  const answer = await request(url, { method: "POST", headers, body: JSON.stringify(input), signal: null });
  const body = await answer.json().catch(() => ({}));
  if (answer.isOut) throw Object.assign(new Error(body.detail ?? "signed out"), { status: 401, errors: [] });
  if (answer.ok) return connect(body.links.self, { ...options, run: body });
  throw Object.assign(new Error(body.detail ?? `${answer.status}`), { status: answer.status, errors: body.errors ?? [] });
}
