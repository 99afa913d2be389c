// Views and their refreshing: the view in the address is loaded again every few seconds while the page is visible.

const INTERVAL = 3000;
// Something new shows within ten seconds, also where loading takes long.
const LONGEST_INTERVAL = 7000;
const LONGEST_PAUSE = 60000;

const main = document.getElementById("main");
const connection = document.getElementById("connection");
let view = null, drawn = "", timer = 0, failures = 0, retryAt = 0, round = 0;

/** Show the view that the address names. */
function open() {
  const parameters = new URLSearchParams(location.search), modelId = parameters.get("model");
  view = modelId ? modelView(modelId) : overview(parameters);
  document.title = view.title;
  drawn = "";
  return refresh();
}

/** Go to another view; *replace* leaves no step in the browser's history, as while a person types. */
function navigate(target, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", target);
  if (!replace) window.scrollTo(0, 0);
  return open();
}

async function refresh() {
  clearTimeout(timer);
  // Of two that overlap, only the later one draws.
  const mine = ++round, wanted = view, began = performance.now();
  let pause = INTERVAL;
  try {
    const content = await wanted.load();
    if (mine !== round) return;
    failures = 0;
    draw(wanted, content);
    connected();
    pause = Math.min(LONGEST_INTERVAL, Math.max(INTERVAL, 4 * (performance.now() - began)));
  } catch (error) {
    if (mine !== round) return;
    pause = Math.min(LONGEST_PAUSE, INTERVAL * 2 ** failures++);
    failed(error, pause);
  }
  if (!document.hidden) timer = setTimeout(refresh, pause);
}

function draw(wanted, content) {
  const text = JSON.stringify(content);
  if (text === drawn) return;
  const isFirst = drawn === "";
  drawn = text;
  show(main, wanted.draw(content));
  if (isFirst && document.activeElement === document.body && performance.now() > 5000) main.focus({ preventScroll: true });
}

function connected() {
  retryAt = 0;
  if (connection.classList.contains("away")) report("The server answers again.");
  connection.className = "connection";
  connection.replaceChildren("Live");
}

/** Say that the server refused to show this view, or is away. */
function failed(error, pause) {
  const isRefused = error instanceof Refusal && error.status < 500;
  if (isRefused && drawn === "") {
    drawn = "refused";
    show(main, [el("p", null, inside({}, { "data-key": "up" }, "All models")), el("p", { class: "refused" }, said(error.message))]);
  }
  retryAt = Date.now() + pause;
  connection.className = "connection away";
  const problem = error instanceof Refusal ? error.message : "The server does not answer";
  connection.replaceChildren(said(problem), isRefused ? "" : ". This page may be out of date. ", el("span", { id: "retry", "aria-hidden": "true" }),
    el("button", { type: "button", click: refresh }, "Try now"));
  countDown();
}

function countDown() {
  const place = document.getElementById("retry");
  if (place) place.textContent = `Next attempt in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s. `;
}

/** Refresh now and shortly after: the receiver decides a moment after the API has answered. */
function refreshSoon() {
  refresh();
  setTimeout(refresh, 700);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-view]");
  // Clicks that open a new tab or window are the browser's.
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(link.getAttribute("href"));
});
addEventListener("popstate", open);
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) refresh();
});
setInterval(() => {
  for (const each of document.querySelectorAll("time[data-age]")) each.textContent = ageText(each.dateTime, each.dataset.age);
  countDown();
}, 1000);
open();
