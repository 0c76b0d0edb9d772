import { byId, following, make, setText } from './dom.js';
import { count, duration, mode, ownerLines, visible } from './format.js';

const ROWS_OF_PAGE = 50;

/** The table of the keys of one page. */
export function keysTable({ onSelect, onPage }) {
  const rows = following(byId('rows'), (data) => keyRow(data, onSelect));
  let listing = { total: 0, page: 0, pages: 1, isCut: false };
  byId('previous').addEventListener('click', () => onPage(listing.page - 1));
  byId('next').addEventListener('click', () => onPage(listing.page + 1));

  return {
    show({ order, data, listing: now, prefix, selectedId, isKnown }) {
      listing = now;
      rows.show(order, (id) => data.get(id), selectedId);
      byId('no-rows').hidden = order.length > 0;
      setText(byId('no-rows'), emptyText(isKnown, prefix));
      setText(byId('count'), isKnown ? countText(listing, order.length) : '');
      byId('previous', HTMLButtonElement).disabled = listing.page === 0;
      byId('next', HTMLButtonElement).disabled = listing.page >= listing.pages - 1;
    },

    /** What passes with time alone. */
    tick(now) {
      for (const row of rows.items.values()) row.tick(now);
    },
  };
}

function keyRow(data, onSelect) {
  const { service, key } = data;
  const select = () => onSelect({ service, key });
  const button = make('button', { type: 'button', class: 'key', onclick: select }, visible(key));
  const what = make('span', { class: 'what' });
  const where = make('span', { class: 'where' });
  const cells = {
    mode: make('td'),
    age: make('td', { class: 'number' }),
    lease: make('td', { class: 'number' }),
    token: make('td', { class: 'number token' }),
    holders: make('td', { class: 'number' }),
    waiters: make('td', { class: 'number waiters' }),
  };
  const element = make(
    'tr',
    {},
    make('th', { scope: 'row' }, button),
    make('td', { class: 'service-column' }, make('span', { class: 'service' }, visible(service))),
    cells.mode,
    make('td', { class: 'owner' }, what, where),
    cells.age,
    cells.lease,
    cells.token,
    cells.holders,
    cells.waiters,
  );
  let first;

  return {
    element,
    update({ id, first: front, holders, waiters }, selectedId) {
      const isSelected = id === selectedId;
      first = front;
      const owner = front && ownerLines(front.owner);
      setText(what, owner?.what ?? 'free again');
      setText(where, owner?.where ?? '');
      where.title = owner?.where ?? '';
      setText(cells.mode, front === undefined ? '' : mode(front.slots));
      setText(cells.token, front?.token ?? '');
      setText(cells.holders, holders.toLocaleString('en'));
      setText(cells.waiters, waiters.toLocaleString('en'));
      element.classList.toggle('contended', waiters > 0);
      element.classList.toggle('free', front === undefined);
      element.classList.toggle('selected', isSelected);
      button.setAttribute('aria-pressed', String(isSelected));
    },
    tick(now) {
      setText(cells.age, first?.since === undefined ? '' : duration(now - first.since));
      setText(cells.lease, first === undefined ? '' : duration(Math.max(0, first.leaseEndsAt - now)));
    },
  };
}

function emptyText(isKnown, prefix) {
  if (!isKnown) return 'Looking…';
  return prefix === '' ? 'Nothing is locked now.' : `No key that begins with “${visible(prefix)}” is locked now.`;
}

function countText({ total, page, pages, isCut }, shown) {
  const all = `${count(total, 'key')}${isCut ? ' or more: a longer prefix narrows them down' : ''}`;
  if (pages <= 1) return all;
  const from = page * ROWS_OF_PAGE + 1;
  return `${from.toLocaleString('en')}–${(from + shown - 1).toLocaleString('en')} of ${all}`;
}
