// The types of process-progress.js: the element, and with it the client.
//
//     <script type="module" src="/processes/assets/process-progress.js"></script>
//     <process-progress src="/processes/runs/0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f">
//       <progress>Working…</progress>
//     </process-progress>

import type { Connection, ConnectionEvents, Run } from "./client.js";

export { connect, Connection, start } from "./client.js";
export type * from "./client.js";

/** What the element says; each event bubbles. */
export type ProcessProgressEvents = {
  [Name in keyof ConnectionEvents as `process-${Name}`]: CustomEvent<ConnectionEvents[Name]>;
} & {
  /** What is new is on the page. At most ten times a second. */
  "process-shown": CustomEvent<null>;
};

/**
 * The state, bar and figures of one run.
 *
 * Attributes: `src`, the run's address; `compact`, only state, figures and bar; `link`, the state leads to the run;
 * `log`, with the log's lines as events; `silent`, nothing is announced; `controls`, with a button that cancels;
 * `snapshot`, the run as JSON, shown until the first event; `position`, behind which the log is wanted.
 *
 * Slots: `title` and `actions`. What else is inside is shown where there is no script. An element of the page's own in
 * a slot whose `data-part` names a part is kept up to date in its place; it has to be there from the start.
 *
 * Parts: `base`, `state`, `status`, `title`, `figures`, `percent`, `count`, `bar`, `stages`, `stage-bar`,
 * `says`, `stage`, `text`, `counts`, `foot`, `facts`, `took`, `elapsed`, `rate`, `after`, `left`, `note`, `cancel-button`.
 *
 * Custom properties: `--process-accent`, `--process-ink`, `--process-soft`, `--process-track`, `--process-good`,
 * `--process-warn`, `--process-bad`, `--process-bar-height`, `--process-gap`.
 */
export class ProcessProgress extends HTMLElement {
  src: string;
  /** The run as it is known, or null. */
  readonly run: Run | null;
  readonly connection: Connection | null;
  /** Asks the run to end; shown at once. Rejects with the server's words, which are shown too. */
  cancel(): Promise<void>;
  /** Gives up a run that does not end. */
  force(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  addEventListener<Name extends keyof ProcessProgressEvents>(
    name: Name, hear: (event: ProcessProgressEvents[Name]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(name: string, hear: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Name extends keyof ProcessProgressEvents>(
    name: Name, hear: (event: ProcessProgressEvents[Name]) => void, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(name: string, hear: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "process-progress": ProcessProgress;
  }
}
