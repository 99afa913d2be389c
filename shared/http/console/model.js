// One model: what waits, what goes on now, what would happen, runs, the story, and the rest.

const CHART_RUNS = 30;
const RUN_HEADS = ["Started", "Result", "Took", "Requested", "Parameters", "Links", "Action"];

function modelView(modelId) {
  // The last forecast, and for which state of the model it was requested.
  let forecast = null, forecastFor = "";

  async function load() {
    const model = await get(modelPath(modelId));
    const state = JSON.stringify([model.state, model.decisions?.[0], model.runs?.[0], model.cooldown_until]);
    if (state !== forecastFor) {
      forecast = await dryRun(modelId).catch((error) => error.message);
      forecastFor = state;
    }
    return { ...model, forecast };
  }

  function draw(model) {
    return [
      el("nav", { "aria-label": "Path" }, inside({}, { "data-key": "up" }, "All models")),
      el("div", { class: "head" }, el("h1", null, said(model.model_id)), stateBadge(model), modelButtons(model)),
      model.waiting && approvalCard(model.model_id, model.waiting, el("h2", null, "Waiting for approval")),
      nowCard(model),
      runsCard(model),
      storyCard(model),
      rejectedCard(model.rejected ?? []),
      followUpsCard(model.follow_ups ?? []),
      configurationCard(model.configuration ?? {}),
    ];
  }

  return { title: `${modelId} – Retrain console`, load, draw };
}

function dryRun(modelId, fields = {}) {
  return post("retrain", { model_id: modelId, ...fields }, { query: { dry_run: "true" } });
}

function card(id, heading, ...children) {
  return el("section", { class: "card", "aria-labelledby": id }, el("h2", { id }, heading), children);
}

function modelButtons(model) {
  return el("div", { class: "buttons" },
    actionButton("retrain", model.model_id, model, { class: "main" }),
    model.paused ? actionButton("resume", model.model_id, model) : actionButton("pause", model.model_id, model));
}

function fact(label, ...children) {
  return el("div", null, el("span", { class: "label" }, label), children);
}

function nowCard(model) {
  const { running, queued, retry, paused, forecast } = model;
  return card("now", "Now", el("div", { class: "facts" },
    running && fact("Training", [runningSince(running), running.url && [" · ", serviceLink(running, "see it at the service", "now")],
      el("div", { class: "small" }, originText(running.trigger ?? running), runReason(running)),
      el("div", { class: "buttons" }, actionButton("cancel", model.model_id, { ...running, is: "running" }, { class: "danger" }))]),
    paused && fact("Paused", [paused.since && age(paused.since, "for"), " by ", said(paused.by ?? "a person"),
      paused.until && el("div", null, "until ", when(paused.until)), paused.reason && el("div", null, said(paused.reason))]),
    queued && keptFact(model, queued, "Kept: starts as soon as nothing holds it back", "queued"),
    retry && keptFact(model, retry, "Next attempt after a failure", "to be retried"),
    model.cooldown_until && fact("Cooldown until", when(model.cooldown_until)),
    lastSuccessFact(model),
    model.stale_since && fact("Overdue", [badge("bad", "overdue"), " since ", when(model.stale_since)]),
    model.next_scheduled && fact("Next scheduled", when(model.next_scheduled)),
    model.configuration?.drift_reports && fact("Drift reports", outside(model.configuration.drift_reports)),
    fact("If you retrained now", typeof forecast === "string" ? said(forecast) : forecastText(forecast)),
  ));
}

/** Return when the model was last trained well, and how old that may become. */
function lastSuccessFact(model) {
  const run = (model.runs ?? []).find((each) => each.result === "succeeded" || each.result === "handed_over");
  const at = model.last_success ?? run?.ended_at, oldest = model.configuration?.max_age;
  return (at || oldest) && fact("Last success", at ? when(at) : "none yet", oldest && el("div", { class: "small quiet" }, "may be ", said(oldest), " old"));
}

function runningSince(running) {
  const since = running.started_at ?? running.since ?? running.claimed_at;
  return [running.run_id ? "running " : "starting ", since && age(since, "for")];
}

function keptFact(model, kept, label, is) {
  return fact(label, [
    kept.at && el("div", null, "at ", when(kept.at)),
    el("details", { "data-key": label }, el("summary", null, said(kept.trigger?.reason ?? kept.reason ?? kept.trigger_id)), triggerPairs(kept)),
    el("div", { class: "buttons" }, actionButton("cancel", model.model_id, { ...kept, is })),
  ]);
}

function took(run) {
  return run.ended_at && run.started_at ? Date.parse(run.ended_at) - Date.parse(run.started_at) : null;
}

function runsCard(model) {
  const runs = model.runs ?? [];
  if (!runs.length) return card("runs", "Trainings", el("p", { class: "quiet" }, "No training yet."));
  return card("runs", "Trainings", chart(runs.slice(0, CHART_RUNS)), folded("older runs", runs, (some) => runTable(model, some)));
}

function runTable(model, runs) {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Trainings from ${clockTime(runs[0].started_at)}` },
    el("table", { role: "table" }, el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
      RUN_HEADS.map((name) => el("th", { scope: "col", role: "columnheader" }, name)))),
      el("tbody", { role: "rowgroup" }, runs.map((run) => runRow(model, run)))));
}

function runRow(model, run) {
  const milliseconds = took(run), trigger = run.trigger ?? {};
  const cells = [
    [el("time", { datetime: run.started_at }, clockTime(run.started_at))],
    [resultBadge(run.result), run.attempt > 1 && ` attempt ${run.attempt}`, run.error && el("div", { class: "error small" }, said(run.error))],
    [milliseconds === null ? age(run.started_at, "for") : lasting(milliseconds)],
    [trigger.origin && originText(trigger), trigger.reason && el("div", { class: "small quiet" }, said(trigger.reason))],
    [values(trigger.parameters, said)],
    [run.url && el("div", null, serviceLink(run, "service", "table")), evidenceLinks(trigger.evidence)],
    [run.ended_at && run.result !== "handed_over" && run.result !== "succeeded" && actionButton("retry", model.model_id, run)],
  ];
  // On a phone the cells stand below each other, each beside its head; the roles keep it a table for screen readers.
  return el("tr", { role: "row" }, cells.map((content, place) => el("td", { role: "cell", "data-head": RUN_HEADS[place] }, content)));
}

/** Return the story: decisions with who, why and what followed, and the ends of trainings, newest first. */
function storyCard(model) {
  const decisions = model.decisions ?? [], runs = model.runs ?? [];
  const lines = [
    ...decisions.map((line, place) => ({ at: line.at, node: decisionLine(line, decisions.slice(0, place), runs) })),
    ...runs.filter((run) => run.ended_at).map((run) => ({ at: run.ended_at, node: endLine(run) })),
  ];
  // A stable sort: what the API lists first among equals stays first.
  lines.sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
  if (!lines.length) return card("story", "Story", el("p", { class: "quiet" }, "Nothing has happened yet."));
  return card("story", "Story", folded("older story", lines, (some) => el("ol", { class: "story" }, some.map(storyLine))));
}

function storyLine({ at, node }) {
  return el("li", null, el("div", { class: "small quiet" }, el("time", { datetime: at }, clockTime(at)), el("div", null, age(at))), el("div", null, node));
}

function decisionLine(line, later, runs) {
  const run = line.decision === "launch" && runs.find((each) => each.trigger_id === line.trigger_id);
  const next = !run && later.findLast((each) => each.trigger_id === line.trigger_id);
  return [
    el("div", { class: "what" }, decisionText(line)),
    (line.why || line.origin || line.requested_by) && el("div", null,
      line.origin && [capitalized(word("origins", line.origin)), line.requested_by && " "],
      line.requested_by && ["by ", said(line.requested_by)], line.why && [line.origin || line.requested_by ? ": " : "", said(line.why)]),
    line.detail && el("div", { class: "small" }, said(line.detail)),
    reports(line.evidence ?? run?.trigger?.evidence),
    run && el("div", { class: "small" }, "followed by: training ", resultBadge(run.result), took(run) !== null && ` after ${lasting(took(run))}`,
      run.url && [" · ", serviceLink(run, "service", "decision")]),
    next && next.decision !== "steer" && el("div", { class: "small" }, `followed by: ${decisionText(next).toLowerCase()} `, age(next.at)),
    line.trigger_id && el("div", { class: "small quiet" }, "trigger ", said(line.trigger_id)),
  ];
}

function endLine(run) {
  return [
    el("div", { class: "what" }, "Training ended: ", resultBadge(run.result)),
    took(run) !== null && el("div", { class: "small" }, `after ${lasting(took(run))}`, run.url && [" · ", serviceLink(run, "service", "end")]),
    run.error && el("div", { class: "error small" }, said(run.error)),
    el("div", { class: "small quiet" }, "trigger ", said(run.trigger_id)),
  ];
}

function rejectedCard(lines) {
  if (!lines.length) return null;
  return card("rejected", "Rejected events", el("ul", { class: "story" }, lines.map((line) => el("li", null,
    el("div", { class: "small quiet" }, el("time", { datetime: line.at }, clockTime(line.at))),
    el("div", null, el("div", null, said(line.detail || word("reasons", line.reason))),
      line.trigger_id && el("div", { class: "small quiet" }, "trigger ", said(line.trigger_id)))))));
}

function followUpsCard(entries) {
  if (!entries.length) return null;
  return card("follow-ups", "Still to be done", el("ul", null, entries.map((entry) => el("li", null,
    (entry.actions ?? []).map((action, place) => [place ? ", " : "", said(action)]),
    " for trigger ", said(entry.trigger_id), entry.attempts ? `, tried ${entry.attempts} times` : "",
    entry.last_attempt_at && [", last ", age(entry.last_attempt_at)]))));
}

function configurationCard(configuration) {
  const entries = Object.entries(configuration).filter(([, value]) => value !== null && value !== "");
  return card("configuration", "Configuration", pairs(entries.map(([name, value]) => [name, plain(value)])));
}

/** Return a value of the configuration: lists and tables as lists of their entries. */
function plain(value) {
  if (typeof value !== "object" || value === null) return said(value);
  const isEmpty = Object.keys(value).length === 0;
  if (isEmpty) return el("span", { class: "quiet" }, "none");
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return said(value.join(", "));
  if (Array.isArray(value)) return el("ul", null, value.map((each) => el("li", null, plain(each))));
  return el("ul", null, Object.entries(value).map(([name, each]) => el("li", null, said(name), ": ", plain(each))));
}

/** Return a chart of the durations of *runs*, oldest left; the color says how each ended, and the table has the numbers. */
function chart(runs) {
  // In pixels of this screen, so that texts keep their size.
  const width = Math.max(260, main.clientWidth - 40), height = 150, left = 64, bottom = 22;
  const durations = runs.map((run) => took(run) ?? Math.max(0, now() - Date.parse(run.started_at)));
  const longest = Math.max(...durations, 1000), step = Math.min(48, (width - left) / runs.length), wide = Math.max(2, step - 4);
  const bars = runs.map((run, place) => {
    const tall = Math.max(3, (durations[place] / longest) * (height - bottom - 10));
    const column = runs.length - 1 - place;
    return svg("rect", { class: run.result ?? "running", x: left + column * step + 2, y: height - bottom - tall, width: wide, height: tall, rx: 2 },
      svg("title", null, `${clockTime(run.started_at)}: ${word("results", run.result ?? "running")}, ${lasting(durations[place])}`));
  });
  const summary = `The last ${runs.length} trainings: ${counted(runs.map((run) => word("results", run.result ?? "running")))}; `
    + `the longest took ${lasting(longest)}`;
  return svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary },
    svg("line", { x1: left, x2: width, y1: height - bottom, y2: height - bottom }),
    svg("text", { x: left - 6, y: 16, "text-anchor": "end" }, lasting(longest)),
    svg("text", { x: left - 6, y: height - bottom, "text-anchor": "end" }, "0"),
    svg("text", { x: left, y: height - 6 }, clockTime(runs.at(-1).started_at)),
    runs.length > 4 && svg("text", { x: left + runs.length * step, y: height - 6, "text-anchor": "end" }, clockTime(runs[0].started_at)),
    bars);
}
