// The overview: what waits for a person, what failed, then the models, a page at a time.

const PAGE = 100;
const LONGEST_ALARM_LIST = 8;

const SHOWN = {
  failed: { text: "Last training failed", keep: (model) => lastResult(model) === "failed" },
  overdue: { text: "Overdue", keep: (model) => Boolean(model.stale_since) },
};

function lastResult(model) {
  return model.last_run?.ended_at ? model.last_run.result : null;
}

function overview(parameters) {
  const states = parameters.getAll("state"), text = parameters.get("q") ?? "", after = parameters.get("after") ?? "";
  const shown = SHOWN[parameters.get("show")] ? parameters.get("show") : "";
  const query = { q: text, state: states, after };
  const isFiltered = Boolean(text || states.length || shown);

  async function load() {
    const keep = SHOWN[shown]?.keep;
    const [waiting, page] = await Promise.all([
      gather({ waiting: "true" }, { keep: (model) => model.waiting ?? model.state === "waiting", requests: 5 }),
      gather(query, { enough: PAGE, keep }),
    ]);
    return { waiting: waiting.models, ...page };
  }

  function draw({ waiting, models, next }) {
    return [
      el("h1", null, "Models"),
      waitingSection(waiting),
      !shown && alarmSection(models),
      toolbar(),
      models.length ? el("ul", { class: "models" }, models.map(row)) : el("p", { class: "card" }, nothingText()),
      pager(next),
    ];
  }

  function nothingText() {
    return isFiltered ? "No model matches." : "There are no models yet. Add one to retrain.toml.";
  }

  function toolbar() {
    const search = el("input", {
      type: "search", placeholder: "Part of a model's name", "aria-label": "Search models", value: text,
      "data-key": "search", input: (event) => searchSoon(event.target.value),
    });
    const filter = (name, parameters, isOn) =>
      inside(parameters, { "aria-current": isOn && "true", "data-key": `filter ${name}` }, name);
    return el("div", { class: "tools", role: "search" }, search, el("nav", { class: "filters", "aria-label": "Filters" },
      filter("All", { q: text }, !states.length && !shown),
      Object.entries(WORDS.states).map(([state, name]) =>
        filter(capitalized(name), { q: text, state }, states.includes(state))),
      Object.entries(SHOWN).map(([name, { text: label }]) => filter(label, { q: text, show: name }, shown === name)),
    ));
  }

  function searchSoon(value) {
    clearTimeout(searchSoon.timer);
    searchSoon.timer = setTimeout(() => navigate(address({ q: value, state: states, show: shown }), { replace: true }), 250);
  }

  function pager(next) {
    if (!next && !after) return null;
    return el("nav", { class: "buttons", "aria-label": "Pages" },
      after && inside({ ...query, after: "", show: shown }, { class: "button", "data-key": "first" }, "First page"),
      next && inside({ ...query, after: next, show: shown }, { class: "button", "data-key": "next" }, "Next page"));
  }

  return { title: "Retrain console", load, draw };
}

function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function waitingSection(models) {
  if (!models.length) return null;
  return el("section", { class: "waiting", "aria-labelledby": "waiting" },
    el("h2", { id: "waiting" }, `Waiting for a person: ${models.length}`),
    models.map((model) => model.waiting
      ? approvalCard(model.model_id, model.waiting, el("h3", null, modelLink(model.model_id)))
      : el("div", { class: "request" }, el("h3", null, modelLink(model.model_id)))));
}

function alarmSection(models) {
  const bad = models.filter((model) => lastResult(model) === "failed" || model.stale_since || model.error);
  if (!bad.length) return null;
  return el("section", { class: "alarms", "aria-labelledby": "alarms" },
    el("h2", { id: "alarms" }, `Failed, overdue or damaged on this page: ${bad.length}`),
    el("ul", null, bad.slice(0, LONGEST_ALARM_LIST).map((model) => el("li", null,
      inside({ model: model.model_id }, { "data-key": `alarm ${model.model_id}` }, said(model.model_id)),
      lastResult(model) === "failed" && [badge("bad", "failed"), age(model.last_run.ended_at)],
      model.stale_since && [badge("bad", "overdue"), el("span", null, "since ", age(model.stale_since))],
      (model.error || lastResult(model) === "failed" && model.last_run.error)
        && el("span", { class: "error cut" }, said(model.error ?? model.last_run.error))))),
    bad.length > LONGEST_ALARM_LIST && el("p", null, inside({ show: "failed" }, {}, "Show all models that failed")),
  );
}

/** Return the row of a model: its state, its last training, its dates, and what happened lately. */
function row(model) {
  return el("li", { class: "model" },
    el("div", null, modelLink(model.model_id), stateBadge(model), el("div", { class: "small" }, nowText(model))),
    el("div", null, el("span", { class: "label" }, "Last training"), lastRun(model)),
    el("div", null, el("span", { class: "label" }, "Last success"), lastSuccess(model),
      model.next_scheduled && el("div", { class: "small quiet" }, "next scheduled ", age(model.next_scheduled))),
    el("div", null, el("span", { class: "label" }, "Recent runs and skips"), strip(model)),
  );
}

/** Return what goes on with a model now. */
function nowText(model) {
  if (model.error) return el("span", { class: "error" }, said(model.error));
  const { running, paused, waiting, retry } = model, lines = [];
  if (running) lines.push([running.since ? ["training ", age(running.since, "for")] : "training", runReason(running)]);
  if (paused) lines.push(["paused by ", said(paused.by ?? "a person"), paused.until && [" until ", clockTime(paused.until)],
    paused.reason && [": ", said(paused.reason)]]);
  if (waiting) lines.push(["waits for approval ", waiting.since && age(waiting.since, "for")]);
  if (retry) lines.push(["next attempt ", retry.at && age(retry.at)]);
  return lines.map((line) => el("div", null, line));
}

function runReason(running) {
  const reason = running.trigger?.reason ?? running.reason;
  return reason && [": ", said(reason)];
}

function lastRun(model) {
  const run = model.last_run;
  if (!run) return el("span", { class: "quiet" }, "none yet");
  const ended = run.ended_at && run.started_at;
  return [
    resultBadge(run.result), " ", run.ended_at ? age(run.ended_at) : run.started_at && age(run.started_at, "for"),
    ended && el("span", { class: "quiet small" }, `, took ${lasting(Date.parse(run.ended_at) - Date.parse(run.started_at))}`),
    run.error && el("div", { class: "error small cut" }, said(run.error)),
  ];
}

function lastSuccess(model) {
  return [
    model.last_success ? age(model.last_success) : el("span", { class: "quiet" }, "none yet"),
    model.stale_since && [" ", badge("bad", "overdue"), el("div", { class: "small error" }, "since ", clockTime(model.stale_since))],
  ];
}

/** Return the strip of a model and, beside it, the last reason for a skip: it must not take a click to see that. */
function strip(model) {
  const entries = model.strip ?? [];
  if (!entries.length) return el("div", { class: "small" }, model.last_decision
    ? [age(model.last_decision.at), ": ", decisionText(model.last_decision)] : el("span", { class: "quiet" }, "nothing yet"));
  const cells = entries.toReversed().map((entry) => {
    const kind = word("strip", entry.as), reason = entry.reason ? `: ${word("reasons", entry.reason)}` : "";
    return el("span", { class: `cell ${kind}`, title: `${clockTime(entry.at)}, ${kind}${reason}` }, MARKS[entry.as] ?? "·");
  });
  const summary = counted(entries.map((entry) => word("strip", entry.as).replace("_", " ")));
  const last = entries.find((entry) => entry.as === "-");
  return [
    el("div", { class: "strip", role: "img", "aria-label": summary }, cells),
    last && el("div", { class: "small quiet" }, age(last.at), ": skipped, ", word("reasons", last.reason)),
  ];
}

/** Return how often each word occurs: "3 succeeded, 1 failed". */
function counted(words) {
  const counts = new Map();
  for (const each of words) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].map(([each, count]) => `${count} ${each}`).join(", ");
}
