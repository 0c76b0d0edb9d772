/**
 * Makes an element. Whatever is shown is set as text, never as markup: keys and owners may be anything.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} [properties] attributes by their name, listeners as `onclick`; undefined and false leave one out
 * @param {...(Node | string | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, properties = {}, ...children) {
  return furnish(document.createElement(name), properties, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/** Like `make`, for SVG. */
export function draw(name, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, name), attributes, children);
}

/**
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function byId(id, kind = /** @type {any} */ (HTMLElement)) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return element;
}

/** Touches the document only where something changed, so that what is selected or read aloud stays. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Has the children of an element follow a list of data. Each stays the element that it is for as long as its id is in the list, so
 * that focus and selection stay, too.
 *
 * @param {Element} parent
 * @param {(data: object) => { element: Element }} create what an id is shown by; `update(data, …rest)` is called on it
 */
export function following(parent, create) {
  const items = new Map();
  const place = (element, index) => {
    const there = parent.children[index] ?? null;
    if (there === element) return;
    // What is moved keeps its focus where the browser knows how.
    if (element.parentNode === parent && parent.moveBefore !== undefined) parent.moveBefore(element, there);
    else parent.insertBefore(element, there);
  };

  return {
    items,
    show(ids, dataOf, ...rest) {
      const wanted = new Set(ids);
      for (const [id, item] of items) {
        if (wanted.has(id)) continue;
        item.element.remove();
        items.delete(id);
      }
      ids.forEach((id, index) => {
        const data = dataOf(id);
        let item = items.get(id);
        if (item === undefined) items.set(id, (item = create(data)));
        item.update(data, ...rest);
        place(item.element, index);
      });
    },
  };
}

function furnish(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}
