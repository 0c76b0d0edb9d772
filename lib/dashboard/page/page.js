import { byId, make, setText } from './dom.js';
import { visible } from './format.js';
import { keysTable } from './keys-table.js';
import { linePanel } from './line-panel.js';
import { releaseDialog } from './release-dialog.js';
import { hottestList, lossesList } from './side-lists.js';
import { openStream, queryOf, viewOf } from './stream.js';

const STATES = {
  connecting: 'connecting',
  live: 'live',
  gone: 'not connected, trying again',
  refused: 'refused, trying again',
  asleep: 'asleep',
};
const TICK_MS = 250;
/** As many as the server keeps of a key. */
const MOST_SPANS = 200;

/** The view is in the address, so that a reload, a bookmark and the back button know it. */
let view = viewOf(location.hash.slice(1));
let seen = nothingSeen();
/** What to add to the clock of this machine to have that of the server. */
let offsetMs = 0;

const prefix = byId('prefix', HTMLInputElement);
const dialog = releaseDialog((news) => setText(byId('news'), news));
const table = keysTable({ onSelect: select, onPage: (page) => go({ ...view, page }) });
const panel = linePanel({ onRelease: dialog.ask, onClose: () => select(undefined) });
const hottest = hottestList({ onSelect: select, nameOf });
const losses = lossesList({ onSelect: select, nameOf });
const stream = openStream(take, showState);

function nothingSeen() {
  return { rows: new Map(), spans: new Map(), order: [], listing: undefined, line: undefined, windowMs: 0 };
}

/** A frame has what has changed since the one before; the first one has everything. */
function take(frame, isFirst) {
  if (isFirst) seen = nothingSeen();
  offsetMs = frame.at - Date.now();
  const { rows = [], spans = [], ...sections } = frame;
  Object.assign(seen, sections);
  for (const row of rows) seen.rows.set(row.id, row);
  for (const id of seen.rows.keys()) if (!seen.order.includes(id)) seen.rows.delete(id);
  for (const span of spans) seen.spans.set(span.id, span);
  for (const id of [...seen.spans.keys()].slice(0, -MOST_SPANS)) seen.spans.delete(id);
  if (frame.services !== undefined) showServices(frame.services);
  if (frame.hottest !== undefined) hottest.show(frame.hottest);
  if (frame.losses !== undefined) losses.show(frame.losses);
  show();
}

function show() {
  const { order, rows, listing, line, spans, windowMs } = seen;
  const { prefix, selected } = view;
  table.show({
    order,
    data: rows,
    listing: listing ?? { total: 0, page: 0, pages: 1 },
    prefix,
    selectedId: selected && JSON.stringify([selected.service, selected.key]),
    isKnown: listing !== undefined,
  });
  panel.show(
    selected,
    line,
    [...spans.values()].toSorted((a, b) => a.id - b.id),
    windowMs,
  );
  tick();
}

function tick() {
  const now = Date.now() + offsetMs;
  table.tick(now);
  panel.tick(now);
}

function select(selected) {
  go({ ...view, selected });
}

function go(next) {
  if (next.selected?.service !== view.selected?.service || next.selected?.key !== view.selected?.key) {
    seen.line = undefined;
    seen.spans.clear();
  }
  view = next;
  const query = queryOf(view);
  if (location.hash.slice(1) !== query) history.pushState(null, '', `#${query}`);
  show();
  stream.show(view);
}

/** Of a service, where there are others. */
function nameOf(service) {
  return seen.services?.length > 1 ? visible(service) : '';
}

function showServices(services) {
  byId('keys').classList.toggle('of-one-service', services.length === 1);
  byId('services').replaceChildren(
    ...services.map(({ name, backend, problem }) =>
      make('li', { class: problem === undefined ? '' : 'troubled' }, visible(name), make('span', {}, visible(backend))),
    ),
  );
  const troubled = services.filter(({ problem }) => problem !== undefined);
  byId('problems').replaceChildren(
    ...troubled.map(({ name, problem }) => make('p', {}, `${visible(name)} cannot be shown: ${visible(problem)}`)),
  );
}

function showState(state) {
  setText(byId('connection'), STATES[state]);
  byId('connection').dataset.state = state;
}

function followAddress() {
  view = viewOf(location.hash.slice(1));
  prefix.value = view.prefix;
  seen = { ...nothingSeen(), order: seen.order, rows: seen.rows, listing: seen.listing };
  show();
  stream.show(view);
}

let typing;
prefix.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => go({ ...view, prefix: prefix.value, page: 0 }), 150);
});
byId('search').addEventListener('submit', (event) => event.preventDefault());
addEventListener('popstate', followAddress);
setInterval(tick, TICK_MS);
followAddress();
