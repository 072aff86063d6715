/** Lists that a browser keeps: for as long as its window is open, or until somebody takes them away. */

/**
 * @param {"session" | "browser"} where
 * @param {string} name
 * @param {number} most Items kept; the oldest go.
 * @param {(item: unknown) => boolean} sound Whether something that was kept is an item: anybody may have written it.
 */
export function keptList(where, name, most, sound) {
  const store = () => (where === "session" ? sessionStorage : localStorage);
  const key = `pentimento.${name}`;
  let items = read();

  function read() {
    try {
      const found = JSON.parse(store().getItem(key) ?? "[]");
      return Array.isArray(found) ? found.filter(sound).slice(0, most) : [];
    } catch {
      return []; // a browser that keeps nothing, or something else
    }
  }

  return {
    /** The latest first. */
    get items() {
      return items;
    },
    set(next) {
      items = next.slice(0, most);
      try {
        store().setItem(key, JSON.stringify(items));
      } catch {
        // It is full, or keeps nothing: the list lasts until the page is left.
      }
    },
  };
}
