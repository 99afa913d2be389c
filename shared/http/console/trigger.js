// The content of a trigger: reason, parameters, evidence. A person looks at this before approving it.

/** Return evidence or parameters; one that was too long for the history is marked as cut. */
function values(content, render) {
  if (!content || !Object.keys(content).length) return null;
  if (content.cut === true) return [said(content.text), ` … (cut; ${content.bytes} bytes)`];
  return el("ul", null, Object.entries(content).map(([name, value]) => el("li", null, said(name), ": ", render(value))));
}

function evidenceLinks(evidence) {
  return values(evidence, (value) => outside(value));
}

/** Return links to the reports behind a decision; the API gives a list or an object of addresses. */
function reports(evidence) {
  const addresses = Object.values(evidence ?? {}).filter((value) => typeof value === "string");
  return addresses.map((each) => el("div", { class: "small" }, "evidence: ", outside(each)));
}

function originText(trigger) {
  return [word("origins", trigger.origin), trigger.requested_by && [" (", said(trigger.requested_by), ")"]];
}

/** Return everything that a trigger was sent with; older APIs give some of it beside the trigger. */
function triggerPairs(kept) {
  const trigger = kept.trigger ?? kept;
  return pairs([
    ["Reason", trigger.reason && said(trigger.reason)],
    ["Requested", trigger.origin && originText(trigger)],
    ["Requested at", trigger.requested_at && when(trigger.requested_at)],
    ["Severity", trigger.severity && said(trigger.severity)],
    ["Parameters", values(trigger.parameters, said)],
    ["Evidence", evidenceLinks(trigger.evidence)],
    ["Trigger", said(kept.trigger_id)],
  ]);
}

/** Return the trigger that waits for a person, with the buttons for it. */
function approvalCard(modelId, kept, heading) {
  return el("section", { class: "request", "aria-label": `Waiting for approval: ${modelId}` },
    el("div", null, heading, kept.since && el("span", { class: "quiet" }, " waiting ", age(kept.since, "for"))),
    triggerPairs(kept),
    el("div", { class: "buttons" },
      actionButton("approve", modelId, kept, { class: "main" }), actionButton("reject", modelId, kept, { class: "danger" })),
  );
}
