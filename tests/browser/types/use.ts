// Uses every type as somebody would who follows runs from a page of their own. It is compiled, and never run.

import { connect, Connection, start } from "/assets/client.js";
import type {
  Bar, ConnectionEvents, ConnectOptions, Estimate, FailedItem, LogLine, LogTail, PastStage, Run, RunFile, RunStatus, Stage, StartError,
} from "/assets/client.js";
import { connect as connectToo, ProcessProgress, start as startToo } from "/assets/process-progress.js";
import type { ProcessProgressEvents, Run as SameRun } from "/assets/process-progress.js";

// ---- the element

const element = document.createElement("process-progress");
const made: ProcessProgress = new ProcessProgress();
const found: ProcessProgress | null = document.querySelector("process-progress");
element.src = "/runs/0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f";
element.toggleAttribute("compact", true);
document.body.append(element, made);

element.addEventListener("process-progress", ({ detail }) => console.log(detail.percent?.toFixed(1), detail.text));
element.addEventListener("process-log", ({ detail }) => console.log(detail.seq, detail.level, detail.text));
element.addEventListener("process-connection", ({ detail: { lost } }) => element.classList.toggle("lost", lost));
element.addEventListener("process-gone", ({ detail }) => console.log(detail?.title ?? "never seen"), { once: true });
element.addEventListener("process-shown", ({ target }) => console.log(target));
element.addEventListener("click", (event) => event.preventDefault());
const ended = ({ detail: { status, result } }: ProcessProgressEvents["process-end"]) => console.log(status, result);
element.addEventListener("process-end", ended);
element.removeEventListener("process-end", ended);

async function control(one: ProcessProgress): Promise<RunStatus | undefined> {
  await one.pause();
  await one.resume();
  await one.cancel();
  await one.force();
  const connection: Connection | null = one.connection;
  connection?.close();
  const run: SameRun | null = one.run;
  return run?.status ?? found?.run?.status;
}

// ---- the client

const options: ConnectOptions = { log: true, background: false, run: null, last: "" };
const connection = connect("/runs/0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f", options);
connection.addEventListener("snapshot", ({ detail: { run, log } }) => show(run, log));
connection.addEventListener("progress", ({ detail }) => show(detail));
connection.addEventListener("log", ({ detail }) => line(detail));
connection.addEventListener("end", ({ detail }) => show(detail), { once: true });
const gone = (event: CustomEvent<ConnectionEvents["gone"]>) => console.log(event.detail?.id);
connection.addEventListener("gone", gone);
connection.removeEventListener("gone", gone);
connection.background = true;
const where: [string, string, boolean, boolean] = [connection.id, connection.address, connection.isLost, connection.isOver];

function line({ seq, at, level, text }: LogLine): string {
  return `${seq} ${new Date(at).toISOString()} ${level.toUpperCase()} ${text}`;
}

function show(run: Run, log?: LogTail): string[] {
  const stage: Stage | null = run.stage;
  const past: PastStage[] = run.stages;
  const inner: Bar | null = run.inner;
  const estimate: Estimate | null = run.estimate;
  const failed: FailedItem[] = run.failed_items;
  const files: RunFile[] = run.files;
  return [
    run.process, run.title, `${run.percent ?? "?"} %`, String(run.current), String(run.total), run.text, run.error ?? "",
    stage ? `${stage.index} of ${stage.of}: ${stage.name}, since ${stage.started_ms}` : "",
    inner ? `${inner.current} of ${inner.total}` : "",
    estimate ? `${estimate.rate?.toFixed(1)} a second, ${(estimate.left_ms ?? 0) - (run.elapsed_ms - estimate.at_ms)} ms left` : "",
    ...past.map(({ name, elapsed_ms }) => `${name} ${elapsed_ms / 1000}`),
    ...failed.map(({ item, reason }) => `${item}: ${reason}`),
    ...files.map(({ name, size, type, url }) => `${name} ${size} ${type} ${url}`),
    ...Object.entries(run.counts).map(([name, n]) => `${name} ${n}`),
    ...[run.created_at, run.started_at, run.finished_at, run.due_at].map((at) => at ?? ""),
    `${run.elapsed_ms} ${run.attempt} ${run.actor} ${run.warnings} ${run.pausing} ${run.stalled}`,
    JSON.stringify([run.input, run.result]), run.links["self"] ?? "",
    ...(log ? log.lines.filter(({ seq }) => seq > log.after && seq <= log.last).map(line) : []),
  ];
}

export async function run(): Promise<void> {
  try {
    const started: Connection = await start("/recalculate-prices", { percent: 5 }, { key: "once", confirmed: true, log: false });
    await started.cancel({ force: true });
    await started.pause();
    await started.resume();
    await startToo("/import-users");
    connectToo(started.address).close();
    console.log(await control(element), where);
  } catch (error) {
    const { status, message, errors } = error as StartError;
    console.log(status, message, errors.map(({ field, message }) => `${field} ${message}`));
  }
}
