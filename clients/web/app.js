/** The studio's shell: which tab is open, whether the server is there, the key, the theme, and what went wrong. */

import { Client } from "./client/index.js";
import { Connection, STATE_WORDS } from "./parts/connection.js";
import { h } from "./parts/dom.js";
import { explain } from "./parts/errors.js";
import { icon } from "./parts/icons.js";
import { keyDialog, storedKey } from "./parts/key.js";
import { noticeBoard } from "./parts/notice.js";
import { nextTheme, showTheme } from "./parts/theme-button.js";
import { TABS } from "./tabs/index.js";

const SERVER = new URL("..", import.meta.url); // the page may be served below a path
const at = (path) => new URL(path, SERVER).href;
const element = (id) => document.getElementById(id);

const connection = new Connection(at("readyz"));
const notices = noticeBoard(element("notices"));
const key = keyDialog(() => start());
const main = element("main");

let client = newClient();
let models = [];
let refused = [];
let details = new Map(); // of GET /models/{name}, by name
let retry = null; // tries again what failed in the open tab; offered until it worked or something else is asked
let open = null; // { name, tab, scope, listeners } of the tab that is shown

function newClient() {
  // One more try is made; after that the page says what is wrong, and looks for the server itself.
  return new Client(SERVER.href, { apiKey: storedKey(), retries: 1 });
}

/** Everything that a tab gets from the shell; README.md describes it. */
function contextOf({ name, scope, listeners }, params) {
  return {
    get client() {
      return client;
    },
    get models() {
      return models;
    },
    get refused() {
      return refused;
    },
    describe,
    params,
    signal: scope.signal,
    connection,
    at,
    hashOf: (next) => hashOf(name, next),
    setParams: (next) => history.replaceState(null, "", hashOf(name, next)),
    pushParams(next) {
      const hash = hashOf(name, next);
      if (hash !== location.hash) history.pushState(null, "", hash);
    },
    onModels: (listener) => listeners.add(listener),
    say,
    fail,
    tell: (title, detail = "") => notices.show({ kind: "info", title, detail }),
    clear() {
      retry = null;
      notices.clear();
    },
  };
}

function describe(name) {
  if (!details.has(name)) {
    const answer = client.model(name);
    answer.catch(() => details.delete(name)); // asked again the next time
    details.set(name, answer);
  }
  return details.get(name);
}

/** Says something to those who listen to the page. */
function say(text) {
  element("said").textContent = text;
}

/**
 * Shows what went wrong, and offers what helps.
 *
 * @param {Error} error Of the client; an AbortError is nobody's fault, and is not shown.
 * @param {(() => void) | null} [again] Tries again. It stays on offer, whatever the connection does meanwhile, until
 *   the tab clears what is shown.
 */
function fail(error, again = null) {
  if (error.name === "AbortError" || error.code === "CANCELLED") return;
  const { title, detail, cure } = explain(error);
  if (cure === "wait") connection.check();
  if (cure === "key") key.open(storedKey() ? "The server does not know this key." : "This server wants an API key.");
  if (again && again !== start) retry = cure === "none" ? null : again;
  const action =
    cure === "key"
      ? { label: "Type a key", run: () => key.open("This server wants an API key.") }
      : offer(cure === "none" ? null : again);
  notices.show({ title, detail, action });
  if (!error.code) console.error(error); // a defect of the page: say where
}

function offer(again) {
  return again && { label: "Try again", run: again };
}

function hashOf(name, params) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== null && value !== undefined));
  return `#${name}${query.size ? `?${query}` : ""}`;
}

/** Opens the tab that the address names; without one, the first. */
async function route() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const entry = TABS.find((tab) => tab.name === name) ?? TABS[0];
  if (open?.name === entry.name && open.tab?.go) return open.tab.go(new URLSearchParams(query));
  close();
  const scope = new AbortController();
  const mine = (open = { name: entry.name, tab: null, scope, listeners: new Set() });
  for (const link of element("tabs").children) {
    if (link.dataset.tab === entry.name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${entry.title} · Pentimento studio`;
  try {
    [mine.tab] = await Promise.all([entry.load(), styled(entry.name)]);
  } catch {
    connection.check();
    const again = { label: "Load the page again", run: () => location.reload() };
    notices.show({ title: "A part of the page did not arrive", detail: "The network may be away.", action: again });
    return;
  }
  if (open !== mine) return; // another was opened meanwhile
  const root = h("div.tab", { "data-tab": entry.name });
  main.replaceChildren(root);
  mine.tab.mount(root, contextOf(mine, new URLSearchParams(query)));
}

function close() {
  open?.scope.abort();
  open?.tab?.unmount?.();
  open = null;
  retry = null;
  notices.clear();
}

const sheets = new Map();

/** A tab's own stylesheet, there before the tab is shown: nothing jumps. */
function styled(name) {
  if (!sheets.has(name)) {
    const link = h("link", { rel: "stylesheet", href: at(`studio/tabs/${name}.css`) });
    sheets.set(name, new Promise((resolve) => (link.onload = link.onerror = resolve)));
    document.head.append(link);
  }
  return sheets.get(name);
}

/** Reads what is served, and opens the tab; or tells the open tab that there is news. Resolves to whether it could. */
async function start() {
  client = newClient();
  showKeyButton();
  try {
    ({ models, refused } = await client.models());
    details = new Map();
  } catch (error) {
    fail(error, start);
    if (!open) main.replaceChildren(waiting(error));
    return false;
  }
  notices.clear();
  if (open) for (const listener of open.listeners) listener(models);
  else await route();
  return true;
}

function waiting(error) {
  const text = error.code === "UNAUTHENTICATED" ? "Nothing can be shown without a key." : "Waiting for the server.";
  return h("div.tab-head", {}, h("h1", {}, "Pentimento studio"), h("p", {}, text));
}

function showConnection() {
  const place = element("connection");
  place.dataset.state = connection.state;
  place.title = STATE_WORDS[connection.state];
  place.firstElementChild.textContent = STATE_WORDS[connection.state];
}

function showKeyButton() {
  const has = storedKey() !== null;
  element("key").setAttribute("aria-pressed", String(has));
  element("key").title = has ? "An API key is used" : "No API key is used";
}

for (const { name, title } of TABS) {
  element("tabs").append(h("a", { href: `#${name}`, "data-tab": name }, title));
}
document.querySelector(".skip").onclick = (event) => {
  event.preventDefault(); // its hash would open a tab
  main.focus();
};
element("key").append(icon("key"));
element("key").setAttribute("aria-label", "API key");
element("key").onclick = () => key.open("Some servers want a key from everybody who asks.");
element("theme").onclick = () => showTheme(element("theme"), nextTheme());
showTheme(element("theme"));
document.body.append(key.element);
connection.addEventListener("change", showConnection);
connection.addEventListener("change", () => {
  if (connection.state !== "offline" && connection.state !== "draining") return;
  notices.show({
    title: connection.state === "offline" ? "The server does not answer" : "The server is shutting down",
    detail: "This page looks for it and says when it is back. What is drawn already stays.",
    action: offer(retry),
  });
});
connection.addEventListener("back", async () => {
  if (await start()) notices.show({ kind: "info", title: "The server is back", action: offer(retry) });
});
addEventListener("hashchange", () => (open ? route() : start()));

showConnection();
connection.check();
start();
