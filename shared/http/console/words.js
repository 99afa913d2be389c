// Words for codes, times and durations. The codes' words are in words.json, which the server uses, too.

const WORDS = JSON.parse(document.getElementById("words").textContent);
const ZONED = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const THIS_YEAR = new Intl.DateTimeFormat("en-GB", ZONED);
const ANY_YEAR = new Intl.DateTimeFormat("en-GB", { ...ZONED, year: "numeric" });
const RESULT_KINDS = { running: "busy", succeeded: "good", failed: "bad", stopped: "warn", gone: "warn" };
const STATE_KINDS = { training: "busy", paused: "warn", waiting: "warn", cooling_down: "", idle: "" };
const MARKS = { r: "▸", s: "✓", f: "✕", x: "■", g: "?", h: "→", "-": "–" };

// How far the server's clock is ahead of this one, in milliseconds.
let skew = 0;

function word(table, code) {
  return WORDS[table][code] ?? String(code ?? "").replaceAll("_", " ");
}

function now() {
  return Date.now() + skew;
}

/** Return a duration in words, in one or two units. */
function lasting(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  if (minutes < 60) return minutes < 10 && seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return days < 10 && hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

function clockTime(iso) {
  const at = new Date(iso);
  return (at.getFullYear() === new Date().getFullYear() ? THIS_YEAR : ANY_YEAR).format(at);
}

function ageText(iso, form) {
  const age = now() - Date.parse(iso);
  if (form === "for") return `for ${lasting(age)}`;
  if (Math.abs(age) < 5000) return "just now";
  const rough = lasting(Math.abs(age)).split(" ").slice(0, 2).join(" ");
  return age < 0 ? `in ${rough}` : `${rough} ago`;
}

/** Return how long ago a time is; `main.js` keeps it current. *form* `for` says how long something has lasted. */
function age(iso, form = "ago") {
  return el("time", { datetime: iso, title: clockTime(iso), "data-age": form }, ageText(iso, form));
}

/** Return a time with its zone, and how long ago it is. */
function when(iso) {
  return [el("time", { datetime: iso }, clockTime(iso)), " (", age(iso), ")"];
}

function stateBadge(model) {
  if (!model.state) return badge("bad", "cannot be read");
  return badge(STATE_KINDS[model.state] ?? "", word("states", model.state));
}

function resultBadge(result) {
  return badge(RESULT_KINDS[result ?? "running"] ?? "", word("results", result ?? "running"));
}

/** Return what happened to a trigger, in words: "Skipped: the cooldown after the last training is not over". */
function decisionText(line) {
  if (line.decision === "steer") return word("steering", line.reason);
  if (line.decision === "launch") return word("decisions", "launch");
  return `${word("decisions", line.decision)}: ${word("reasons", line.reason)}`;
}

/** Return what would happen to a trigger, as a dry run answers it. */
function forecastText(answer) {
  const forecast = word("forecasts", answer.decision);
  return ["launch", "wait"].includes(answer.decision) ? `${forecast}.` : `${forecast}: ${word("reasons", answer.reason)}.`;
}
