// Owns the line to a stream, of one run or of many: it opens it, takes it up where it was cut, notices when it is
// dead, and reads what comes. Refuses to know what a page looks like: it touches no element and hands on plain data.
//
// The files of this folder are served as one script, this one first and page.js last; what one declares the next
// may use.

const EVENTS = ["snapshot", "progress", "log", "end", "gone", "ping"];
const SILENCE = 35_000; // ms without even a ping: the line is dead

// Whole numbers beyond 2^53 keep all their digits where the browser hands out the source.
function parse(json) {
  return JSON.parse(json, (_, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
      ? BigInt(context.source) : value);
}

// `hear` has a function for every kind of event that matters; `lost` is called each time the line is cut.
// The line is opened again after every kind of failure, each time a little later, until it is ended.
function lineTo(path, hear, lost) {
  const positions = new Map(); // the last of each run
  let source = null, tries = 0, retry = 0, heard = 0, over = false;

  function hangUp() {
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  function open() {
    hangUp();
    heard = performance.now();
    const address = new URL(path, location.href);
    for (const position of positions.values()) address.searchParams.append("last", position);
    const opened = new EventSource(address);
    source = opened;
    for (const name of EVENTS) {
      opened.addEventListener(name, (event) => {
        if (source !== opened) return;
        heard = performance.now();
        const data = parse(event.data);
        positions.set(data.run ?? data.id, event.lastEventId);
        if (name === "snapshot") tries = 0;
        hear[name]?.(data);
      });
    }
    opened.onerror = () => { if (source === opened) again(); };
  }

  function again() {
    hangUp();
    const wait = Math.min(15_000, 1000 * 2 ** tries) * (0.75 + Math.random() / 2);
    tries += 1;
    retry = setTimeout(open, wait);
    lost();
  }

  const watch = setInterval(() => {
    if (source && performance.now() - heard > SILENCE) again();
  }, 1000);

  // A page in the back-forward cache holds no line, and takes up the run when it is shown again.
  addEventListener("pagehide", hangUp);
  addEventListener("pageshow", (event) => {
    if (event.persisted && !over) open();
  });
  addEventListener("online", () => { if (!over && tries > 0) open(); });

  open();
  return {
    isLost: () => tries > 0,
    end() {
      over = true;
      hangUp();
      clearInterval(watch);
    },
  };
}
