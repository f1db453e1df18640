// Requests for JSON, and how an answer of the server is told from one of a login page or a proxy before it.

const UNANSWERED = 15_000; // ms until a request counts as not answered

/**
 * Requests JSON; rejects if there is no answer. `isOurs` is false for what a proxy says, and `isOut` true if the person
 * must sign in again.
 */
export async function request(address, { headers, ...options } = {}) {
  // Not to a login page: one on another site would look like a dead server.
  const how = { redirect: "manual", signal: AbortSignal.timeout(UNANSWERED), ...options };
  const answer = await fetch(address, { ...how, headers: { accept: "application/json", ...headers } });
  const { ok, status, type } = answer, content = answer.headers.get("content-type"), isOurs = /json/.test(content);
  const isLogin = type === "opaqueredirect" || status === 401 || (status === 403 && !isOurs) || (ok && /html/.test(content));
  return Object.assign(answer, { isOurs, isOut: isLogin });
}
