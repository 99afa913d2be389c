// The JSON API of the server that this page came from. All addresses are relative.

const REQUEST_TIME_LIMIT = 30000;

/** The API, or what is in front of it, refused a request; the message is its own. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, { query = {}, body, key } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const response = await fetch(path + address(query).slice(2), {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", redirect: "manual",
    signal: AbortSignal.timeout(REQUEST_TIME_LIMIT),
  });
  if (response.type === "opaqueredirect") throw new Refusal(401, "You are no longer signed in; reload this page.");
  const sent = Date.parse(response.headers.get("Date"));
  // The header has whole seconds; a smaller difference is none.
  if (Number.isFinite(sent)) skew = Math.abs(sent - Date.now()) > 2000 ? sent - Date.now() : 0;
  const content = await response.json().catch(() => null);
  if (!response.ok) throw new Refusal(response.status, content?.detail ?? content?.Message ?? content?.message
    ?? `The server answered ${response.status} ${response.statusText}`);
  if (content === null) throw new Refusal(response.status, "The server's answer is not valid JSON.");
  return content;
}

function get(path, query) {
  return request("GET", path, { query });
}

function post(path, body, more) {
  return request("POST", path, { body, ...more });
}

function modelPath(modelId, verb) {
  return `models/${encodeURIComponent(modelId)}${verb ? `/${verb}` : ""}`;
}

/** Return the models that match: pages are followed until there are *enough*, and `next` is where they go on. */
async function gather(query, { enough = 1, keep = () => true, requests = 30 } = {}) {
  const models = [];
  let after = query.after;
  do {
    const page = await get("models", { ...query, after });
    models.push(...page.models.filter(keep));
    after = page.next;
  } while (after && models.length < enough && --requests > 0);
  return { models, next: after };
}

/** Return a new id for a trigger. `crypto.randomUUID` is missing where a page is not served over https or loopback. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `console-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
