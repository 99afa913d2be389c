// Acting: each action says first what will happen, is confirmed once, and says what it did.

const NAMES = { retrain: "Retrain…", approve: "Approve…", reject: "Reject…", pause: "Pause…", resume: "Resume…", cancel: "Cancel…", retry: "Retry…" };
const PREVIEW_DELAY = 300;

/** Return the button that opens the dialog of *verb*; *subject* is the trigger, run or model that it is about. */
function actionButton(verb, modelId, subject, properties) {
  const label = `${NAMES[verb].slice(0, -1)} ${subject.trigger_id ? `${subject.trigger_id} of ` : ""}${modelId}`;
  return el("button", {
    type: "button", "aria-label": label, "data-key": `${verb} ${modelId} ${subject.trigger_id ?? ""}`,
    click: () => openDialog(DIALOGS[verb](modelId, subject)), ...properties,
  }, NAMES[verb]);
}

/** Show a dialog in which a person confirms an action; *send* carries it out and returns a sentence about the result. */
function openDialog({ title, body, button, isDanger, send }) {
  const dialog = document.getElementById("dialog");
  const refused = el("div", { class: "refused", role: "alert" });
  const confirm = el("button", { class: isDanger ? "danger" : "main" }, button);
  const leave = el("button", { type: "button", click: () => dialog.close() }, "Leave");
  let isSending = false;

  async function submit(event) {
    event.preventDefault();
    // A second click, or Enter held down, sends nothing more.
    if (isSending) return;
    isSending = confirm.disabled = true;
    refused.replaceChildren();
    try {
      const done = await send();
      dialog.close();
      report(done);
      refreshSoon();
    } catch (error) {
      const reason = error instanceof Refusal ? error.message : `The server does not answer (${error.message}); it is safe to try again.`;
      refused.replaceChildren(said(reason));
      isSending = confirm.disabled = false;
    }
  }

  dialog.replaceChildren(el("form", { submit, novalidate: true },
    el("h2", { id: "dialog-title" }, title), body, refused, el("div", { class: "buttons" }, leave, confirm)));
  dialog.showModal();
}

/** Say what an action did, to the eye and to a screen reader. */
function report(sentence) {
  const place = document.getElementById("done");
  place.replaceChildren(sentence);
  clearTimeout(report.timer);
  report.timer = setTimeout(() => place.replaceChildren(), 10000);
}

const DIALOGS = {
  approve: (modelId, kept) => ({
    title: ["Approve a training of ", said(modelId), "?"],
    body: [el("p", { class: "forecast" }, "The training starts with these parameters as soon as nothing else holds it back: a running training, a pause, a cooldown or a budget."), triggerPairs(kept)],
    button: "Approve",
    send: async () => {
      const answer = await post(modelPath(modelId, "approve"), { trigger_id: kept.trigger_id });
      return `Approved ${kept.trigger_id}. ${stateText(modelId, answer)}`;
    },
  }),
  reject: (modelId, kept) => ({
    title: ["Reject a training of ", said(modelId), "?"],
    body: [el("p", { class: "forecast" }, "The trigger is dropped, and nothing starts. To train all the same, send a new trigger."), triggerPairs(kept)],
    button: "Reject",
    isDanger: true,
    send: async () => {
      const answer = await post(modelPath(modelId, "reject"), { trigger_id: kept.trigger_id });
      return `Rejected ${kept.trigger_id}. ${stateText(modelId, answer)}`;
    },
  }),
  pause: (modelId) => {
    const reason = field("Reason", { maxlength: 512, autofocus: true });
    const until = field("Until (empty: until it is resumed)", { type: "datetime-local" });
    return {
      title: ["Pause ", said(modelId), "?"],
      body: [el("p", { class: "forecast" }, "While it is paused, no new training starts, and the newest trigger is kept. A training that runs is not stopped."), reason.node, until.node],
      button: "Pause",
      send: async () => {
        const end = until.input.value && new Date(until.input.value).toISOString().replace(/\.\d+/, "");
        const answer = await post(modelPath(modelId, "pause"), { ...(reason.input.value && { reason: reason.input.value }), ...(end && { until: end }) });
        return `Paused. ${stateText(modelId, answer)}`;
      },
    };
  },
  resume: (modelId, model) => {
    const kept = model.queued ?? model.retry;
    const hold = model.cooldown_until ? ` The cooldown holds until ${clockTime(model.cooldown_until)}.` : "";
    return {
      title: ["Resume ", said(modelId), "?"],
      body: kept
        ? [el("p", { class: "forecast" }, `The trigger that was kept starts as soon as nothing else holds it back.${hold}`), triggerPairs(kept)]
        : el("p", { class: "forecast" }, "No trigger was kept, so nothing starts now. New triggers are decided as usual."),
      button: "Resume",
      send: async () => `Resumed. ${stateText(modelId, await post(modelPath(modelId, "resume"), {}))}`,
    };
  },
  cancel: (modelId, kept) => {
    const isRunning = kept.is === "running";
    return {
      title: [isRunning ? "Stop the training of " : "Cancel a trigger of ", said(modelId), "?"],
      body: [el("p", { class: "forecast" }, isRunning
        ? "The run is stopped through the training service. It is not retried, and what was kept behind it starts."
        : `The trigger is ${kept.is}; it is dropped, and nothing starts because of it.`), triggerPairs(kept)],
      button: isRunning ? "Stop the training" : "Cancel the trigger",
      isDanger: true,
      send: async () => {
        const answer = await post(modelPath(modelId, "cancel"), { trigger_id: kept.trigger_id });
        return `${isRunning ? "The run will be stopped" : "Cancelled"}: ${kept.trigger_id}. ${stateText(modelId, answer)}`;
      },
    };
  },
  retry: (modelId, run) => ({
    title: ["Retry a training of ", said(modelId), "?"],
    body: [el("p", { class: "forecast" }, "It starts again with the same parameters as soon as nothing holds it back; no approval is requested. A retry that was pending starts now."), triggerPairs(run)],
    button: "Retry",
    send: async () => `The new attempt is ${(await post(modelPath(modelId, "retry"), { trigger_id: run.trigger_id })).trigger_id}.`,
  }),
  retrain: (modelId, model) => retrainDialog(modelId, model.configuration?.parameters ?? {}),
};

function stateText(modelId, answer) {
  return answer.state ? `${modelId} is now: ${word("states", answer.state)}.` : "";
}

function field(label, properties, hint) {
  const input = el("input", { type: "text", ...properties });
  return { input, node: el("label", null, label, hint && el("span", { class: "quiet small" }, " ", hint), input) };
}

/** Return the dialog for a new training: reason, the model's parameters with their defaults, and what would happen. */
function retrainDialog(modelId, defaults) {
  // One id for this dialog: however often it is sent, one training starts.
  const key = newId();
  const reason = field("Reason", { maxlength: 512, autofocus: true });
  const force = el("input", { type: "checkbox" });
  const inputs = Object.entries(defaults).map(([name, value]) => ({ name, value, ...parameterField(name, value) }));
  const forecast = el("p", { class: "forecast", "aria-live": "polite" }, "Checking what would happen…");

  function fields() {
    const changed = inputs.map(({ name, read }) => [name, read()]).filter(([, value]) => value !== undefined);
    return {
      model_id: modelId,
      ...(reason.input.value && { reason: reason.input.value }),
      ...(changed.length && { parameters: Object.fromEntries(changed) }),
      ...(force.checked && { force: true }),
    };
  }

  let timer = 0, latest = 0;
  function preview() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++latest;
      const text = await dryRun(modelId, fields()).then(forecastText, (error) => error.message);
      if (mine === latest) forecast.replaceChildren(said(text));
    }, PREVIEW_DELAY);
  }
  preview();

  return {
    title: ["Retrain ", said(modelId), " now?"],
    body: el("div", { class: "card", input: preview }, reason.node, inputs.map(({ node }) => node),
      el("label", null, force, "Skip the cooldown and the drift rules; never a running training, a pause or a budget"), forecast),
    button: "Retrain",
    send: async () => {
      const answer = await post("retrain", fields(), { key });
      return `Sent as ${answer.trigger_id}; the decision on it appears here in a moment.`;
    },
  };
}

/** Return the input of a parameter; `read` returns undefined while it has its default. */
function parameterField(name, value) {
  if (typeof value === "boolean") {
    const input = el("input", { type: "checkbox" });
    input.checked = value;
    return { node: el("label", null, input, said(name), el("span", { class: "quiet small" }, ` default ${value}`)), read: () => input.checked === value ? undefined : input.checked };
  }
  const isNumber = typeof value === "number";
  const isFilled = !isNumber && value.startsWith("$");
  const hint = isFilled ? `filled with ${value} unless set` : `${isNumber ? "number" : "text"}, default ${value === "" ? "empty" : value}`;
  const { input, node } = field(said(name), { inputmode: isNumber ? "decimal" : null, value: isFilled ? "" : value }, said(hint));
  return { node, read: () => input.value === (isFilled ? "" : String(value)) ? undefined : isNumber ? asNumber(input.value) : input.value };
}

/** Return a number where *text* is one, else the text, which the API then refuses by name. */
function asNumber(text) {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
