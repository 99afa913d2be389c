// Elements. All that comes from the API is added as text, never as markup, and in <bdi>, so that characters that
// change the direction of writing stay within their own value.

const FOLD = 12;
const SVG = "http://www.w3.org/2000/svg";

/** Return an element. Strings among the children become text; null, undefined, false and "" are left out. */
function el(name, properties, ...children) {
  return filled(document.createElement(name), properties, children);
}

function svg(name, properties, ...children) {
  return filled(document.createElementNS(SVG, name), properties, children);
}

function filled(node, properties, children) {
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(key, value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

/** Return a value from the API as text. */
function said(value) {
  return el("bdi", null, typeof value === "string" ? value : JSON.stringify(value));
}

/** Return a link to another site, with *text* if given, if *address* is one of http or https, else the address as text. */
function outside(address, text = address) {
  const url = typeof address === "string" ? parsed(address) : null;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") return said(address);
  return el("a", { href: url.href, rel: "noopener noreferrer", target: "_blank" }, said(text));
}

/** Return the way to a run at its service: a link, or where the service has no page, a place that is unfolded. */
function serviceLink(run, text, place) {
  const protocol = parsed(run.url)?.protocol;
  if (protocol === "https:" || protocol === "http:") return outside(run.url, text);
  return el("details", { "data-key": `output ${run.run_id} ${place}`, class: "place" }, el("summary", null, "output"), el("code", null, said(run.url)));
}

function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

/** Return the address of a view of this page, relative to it. */
function address(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of [value].flat()) if (each) query.append(name, each);
  }
  return query.size ? `./?${query}` : "./";
}

/** Return a link within this page; `main.js` follows it without loading the page again. */
function inside(parameters, properties, ...children) {
  return el("a", { href: address(parameters), "data-view": true, ...properties }, children);
}

function modelLink(modelId) {
  return inside({ model: modelId }, { class: "name", "data-key": `model ${modelId}` }, said(modelId));
}

function badge(kind, text) {
  return el("span", { class: `badge ${kind}` }, text);
}

/** Return a list of names and values; entries without a value are left out. */
function pairs(entries) {
  return el("dl", { class: "pairs" }, entries.filter(([, value]) => value).map(([name, ...values]) => [
    el("dt", null, name), el("dd", null, values),
  ]));
}

/** Return the first of *items* and, folded, the rest; *wrap* makes the element around the items that it is given. */
function folded(key, items, wrap) {
  const older = items.slice(FOLD);
  return [wrap(items.slice(0, FOLD)), older.length > 0
    && el("details", { "data-key": key }, el("summary", null, `Show ${older.length} older`), wrap(older))];
}

/** Show *nodes* in *place*, and keep the focus and what was unfolded. */
function show(place, nodes) {
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const typed = focused && document.activeElement.value;
  const open = new Set([...place.querySelectorAll("details[open]")].map((each) => each.dataset.key));
  place.replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  for (const each of place.querySelectorAll("details")) each.open = open.has(each.dataset.key);
  const again = focused && [...place.querySelectorAll("[data-key]")].find((each) => each.dataset.key === focused);
  if (!again) return;
  if (typed !== undefined) again.value = typed;
  again.focus({ preventScroll: true });
}
