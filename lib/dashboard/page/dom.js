/**
 * Makes an element. Whatever is shown is set as text, never as markup: keys and owners may be anything.
 *
 * @param {string} name
 * @param {Record<string, unknown>} [properties] attributes by their name, listeners as `onclick`; undefined and false leave one out
 * @param {...(Node | string | undefined | false)} children
 * @returns {HTMLElement}
 */
export function make(name, properties = {}, ...children) {
  return furnish(document.createElement(name), properties, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/** Like `make`, for SVG. */
export function draw(name, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, name), attributes, children);
}

export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** Touches the document only where something changed, so that what is selected or read aloud stays. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
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
