// Starts runs with the types that openapi-typescript generated, and reads them until they have ended.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/schema.js";

type Run = components["schemas"]["Run"];

const client = createClient<paths>({ baseUrl: process.argv[2]!, headers: { accept: "application/json" } });

function check(holds: boolean, what: unknown): asserts holds {
  if (!holds) throw new Error(JSON.stringify(what));
}

async function ended({ id }: Run): Promise<Run> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { data: run, error } = await client.GET("/runs/{id}", { params: { path: { id } } });
    // A browser gets a page, so the document has a text as well.
    check(run !== undefined && typeof run !== "string", error);
    if (["succeeded", "failed", "cancelled", "interrupted"].includes(run.status)) return run;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${id} has not ended`);
}

const ticking = await client.POST("/demo/metronome/start", { body: { ticks: 3, per_second: 0 } });
check(ticking.response.status === 201, ticking.error);
const ticked = await ended(ticking.data as Run);
check(ticked.status === "succeeded" && ticked.current === 3 && ticked.total === 3, ticked);

// A value of each kind.
const input: components["schemas"]["demo.kitchen-sink.input"] = {
  name: "Sale",
  percent: 2.5,
  until: "2026-12-31",
  at: "14:30",
  deadline: "2026-12-31T14:30:00+00:00",
  pause: "PT1H30M",
  email: "ada@example.org",
  delivery: "none",
  colours: ["red", "dark_blue"],
  tags: ["a", "b"],
  address: { street: "Main 1", zip: "12345" },
  lines: [{ article: "A-1", quantity: 2 }],
  api_key: "sk-123456",
  file: { name: "a.csv", content: "YSxiCg==" },
};
const everything = await client.POST("/demo/kitchen-sink/start", { body: input });
check(everything.response.status === 201, everything.error);
const { status, result } = await ended(everything.data as Run);
check(status === "succeeded", status);
check((result as { message: string }).message === "2 tags, 2 colours, 1 lines", result);
console.log("The TypeScript client started two runs, and read their results.");
