/** The drawings of this session, so that no seed is lost, and those that somebody wants to keep. */

import { h } from "../parts/dom.js";
import { icon } from "../parts/icons.js";
import { keptList } from "../parts/kept.js";

const MOST = 60; // drawings of a session, and as many favourites
const SIDE = 56; // the most pixels of a thumbnail's canvas

const sound = (item) =>
  typeof item?.address === "string" &&
  item.address.startsWith("#draw?") &&
  typeof item.title === "string" &&
  /^data:image\/png;base64,/.test(item.picture);

export function drawingShelf() {
  const session = keptList("session", "drawings", MOST, sound);
  const favourites = keptList("browser", "favourites", MOST, sound);
  const recent = shelf("This session", "shelf-room.shelf-kept", "What is drawn is kept here while this window is open.");
  const kept = shelf("Favourites", "shelf-room", "");
  const element = h("section.panel.draw-shelf", { "aria-label": "Drawings so far" }, kept.element, recent.element);
  let current = null; // the address of the drawing that is shown

  function paint() {
    const starred = new Set(favourites.items.map(({ address }) => address));
    for (const [place, { items }] of [[kept, favourites], [recent, session]]) {
      place.fill(items.map((item) => cell(item, { starred: starred.has(item.address), shown: item.address === current, toggle })));
    }
    kept.element.hidden = !favourites.items.length;
  }

  function toggle(item) {
    const rest = favourites.items.filter(({ address }) => address !== item.address);
    favourites.set(rest.length < favourites.items.length ? rest : [item, ...rest]);
    paint();
    return [...element.querySelectorAll(".shelf-star")].find((star) => star.dataset.address === item.address);
  }

  paint();
  return {
    element,
    /** Puts a drawing first; one that is there already keeps its place. */
    add({ address, title, bitmaps }) {
      if (session.items.some((item) => item.address === address)) return;
      session.set([{ address, title, picture: thumbnail(bitmaps) }, ...session.items]);
      paint();
    },
    /** Which drawing is shown. */
    mark(address) {
      current = address;
      for (const link of element.querySelectorAll(".shelf-link")) {
        if (link.getAttribute("href") === address) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
  };
}

function shelf(title, room, empty) {
  const list = h("ul.shelf", { role: "list" });
  const hint = h("p.hint.shelf-empty", {}, empty);
  return {
    element: h("div", {}, h("h3", {}, title), h(`div.${room}`, {}, hint, list)),
    fill(cells) {
      hint.hidden = cells.length > 0;
      list.replaceChildren(...cells);
    },
  };
}

function cell(item, { starred, shown, toggle }) {
  const { address, title, picture } = item;
  const image = h("img.pixels", { src: picture, alt: title, width: SIDE, height: SIDE });
  const link = h("a.shelf-link", { href: address, title, "aria-current": shown ? "true" : null }, image);
  const star = h("button.icon.shelf-star", {
    type: "button",
    "aria-pressed": String(starred),
    "aria-label": `Keep ${title} as a favourite`,
    title: starred ? "A favourite: kept in this browser" : "Keep as a favourite in this browser",
    "data-address": address,
    onclick: () => toggle(item)?.focus(), // the shelf was made anew
  });
  star.append(icon("star"));
  return h("li.shelf-cell", {}, link, star);
}

/** Up to four finished canvases in one small picture. */
function thumbnail(bitmaps) {
  const side = bitmaps.length < 4 ? 1 : 2;
  const scale = Math.min(1, SIDE / Math.max(bitmaps[0].width, bitmaps[0].height));
  const [width, height] = [Math.round(bitmaps[0].width * scale), Math.round(bitmaps[0].height * scale)];
  const sheet = h("canvas", { width: side * width, height: side * height });
  const ink = sheet.getContext("2d");
  for (let index = 0; index < side * side; index += 1) {
    ink.drawImage(bitmaps[index], (index % side) * width, Math.floor(index / side) * height, width, height);
  }
  return sheet.toDataURL("image/png");
}
