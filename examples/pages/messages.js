// Starts a run and follows it with `EventSource` only.

const [button, bar, text] = ["#plain-start", "#plain-bar", "#plain-text"].map((name) => document.querySelector(name));

button.addEventListener("click", async () => {
  button.disabled = true;
  const response = await fetch("/recalculate-prices/start", { method: "POST" });
  const run = await response.json();
  const source = new EventSource(`${run.links.events}?format=message`);
  source.onmessage = (event) => {
    const { message, progress } = JSON.parse(event.data);
    text.textContent = message;
    if (progress === null) bar.removeAttribute("value");
    else bar.value = progress;
    if (event.lastEventId !== "CLOSE") return;
    source.close();
    button.disabled = false;
  };
});
