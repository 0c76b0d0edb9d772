import { byId, make } from './dom.js';
import { count, duration, reasonText, timeOfDay, visible } from './format.js';

/** The keys that were waited for longest; each leads to its line. */
export function showHottest(heats, onSelect) {
  if (heats.length === 0) return empty('hottest', 'This process has locked nothing in the last minutes.');
  const hottest = Math.max(1, heats[0].waitedMs);
  const items = heats.map(({ service, key, acquired, failed, waitedMs, heldMs }) => {
    const refused = failed > 0 ? ` · ${failed.toLocaleString('en')} gave up` : '';
    return make(
      'li',
      {},
      make('button', { type: 'button', class: 'key', onclick: () => onSelect({ service, key }) }, visible(key)),
      make('meter', { min: 0, max: hottest, value: waitedMs, 'aria-label': 'waited, next to the hottest key' }),
      make(
        'span',
        { class: 'facts' },
        `waited ${duration(waitedMs)} · held ${duration(heldMs)} · ${count(acquired, 'time')}${refused}`,
      ),
    );
  });
  byId('hottest').replaceChildren(make('ol', { class: 'ranking' }, ...items));
}

export function showLosses(losses, onSelect) {
  if (losses.length === 0) return empty('losses', 'None.');
  const items = losses.map(({ at, what, service, key, reason, site }) =>
    make(
      'li',
      {},
      make('time', {}, timeOfDay(at)),
      make('button', { type: 'button', class: 'key', onclick: () => onSelect({ service, key }) }, visible(key)),
      make(
        'span',
        { class: 'facts' },
        what === 'lost' ? `lost: ${reasonText(reason)}` : 'taken away from here',
        site === undefined ? '' : ` · ${visible(site)}`,
      ),
    ),
  );
  byId('losses').replaceChildren(make('ol', { class: 'losses' }, ...items));
}

function empty(id, text) {
  byId(id).replaceChildren(make('p', { class: 'empty' }, text));
}
