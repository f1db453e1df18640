// The types of process-progress.js: the element, and with it the client.
//
//     <script type="module" src="/processes/assets/process-progress.js"></script>
//     <process-progress src="/processes/runs/0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f">
//       <progress>Working…</progress>
//     </process-progress>

import type { Connection, ConnectionEvents, Run } from "./client.js";

export { connect, Connection, start } from "./client.js";
export type * from "./client.js";

/** The events of the element; all of them bubble. */
export type ProcessProgressEvents = {
  [Name in keyof ConnectionEvents as `process-${Name}`]: CustomEvent<ConnectionEvents[Name]>;
} & {
  /** The element was updated. At most ten times per second. */
  "process-shown": CustomEvent<null>;
};

/**
 * The state, bar and numbers of one run.
 *
 * Attributes: `src`, the address of the run; `compact`, only state, numbers and bar; `link`, the state links to the run;
 * `log`, log lines are dispatched as events; `silent`, nothing is announced; `controls`, shows a cancel button;
 * `snapshot`, the run as JSON, shown until the first event; `position`, the log is received after this event id.
 *
 * Slots: `title` and `actions`. Other content is shown without JavaScript. A slotted element of the page whose
 * `data-part` names a part is updated in its place; it must be there from the start.
 *
 * Parts: `base`, `state`, `status`, `title`, `figures`, `percent`, `count`, `bar`, `inner`, `stages`, `stage-bar`,
 * `says`, `stage`, `text`, `counts`, `foot`, `facts`, `took`, `elapsed`, `rate`, `after`, `left`, `note`, `cancel-button`.
 *
 * Custom properties: `--process-accent`, `--process-ink`, `--process-soft`, `--process-track`, `--process-good`,
 * `--process-warn`, `--process-bad`, `--process-bar-height`, `--process-gap`.
 */
export class ProcessProgress extends HTMLElement {
  src: string;
  /** The last known state of the run, or null. */
  readonly run: Run | null;
  readonly connection: Connection | null;
  /** Cancels the run, and shows that until it is refused or not confirmed. Rejects with the server's message, which is shown too. */
  cancel(): Promise<void>;
  /** Ends a run that does not stop. */
  force(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  addEventListener<Name extends keyof ProcessProgressEvents>(
    name: Name, listener: (event: ProcessProgressEvents[Name]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(name: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<Name extends keyof ProcessProgressEvents>(
    name: Name, listener: (event: ProcessProgressEvents[Name]) => void, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(name: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "process-progress": ProcessProgress;
  }
}
