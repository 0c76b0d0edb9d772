import { byId, following, make, setText } from './dom.js';
import { count, duration, mode, ownerLines, visible } from './format.js';
import { timeline } from './timeline.js';

/** The line of the key that was chosen, from the front, and its last minutes. */
export function linePanel({ onRelease, onClose }) {
  const body = byId('line-body');
  let shown;

  return {
    show(selected, line, spans, windowMs) {
      if (selected === undefined) {
        shown = undefined;
        setText(byId('line-title'), 'Line');
        return body.replaceChildren(
          make('p', { class: 'empty' }, 'Choose a key to see its whole line and its last minutes.'),
        );
      }
      if (shown?.service !== selected.service || shown.key !== selected.key) {
        shown = openLine(selected, onRelease, onClose);
        body.replaceChildren(...shown.elements);
      }
      shown.update(line, spans, windowMs);
    },

    tick(now) {
      shown?.tick(now);
    },
  };
}

function openLine({ service, key }, onRelease, onClose) {
  const list = make('ol', { class: 'line' });
  const claims = following(list, () => claimItem((latest) => onRelease({ service, key }, latest)));
  const summary = make('p', { class: 'note' });
  const chart = timeline();
  const head = make(
    'div',
    { class: 'chosen' },
    make('code', { class: 'key' }, visible(key)),
    make('span', { class: 'service' }, visible(service)),
    make('button', { type: 'button', class: 'quiet', onclick: onClose }, 'Close'),
  );

  return {
    service,
    key,
    elements: [head, summary, list, chart.element],
    update(line, spans, windowMs) {
      const holders = line?.holders ?? [];
      const all = new Map([...holders, ...(line?.waiters ?? [])].map((data) => [data.claim, data]));
      setText(summary, summaryOf(holders, line));
      claims.show([...all.keys()], (claim) => all.get(claim), holders.length);
      chart.update(spans, windowMs);
    },
    tick(now) {
      for (const item of claims.items.values()) item.tick(now);
      chart.tick(now);
    },
  };
}

function summaryOf(holders, line) {
  if (line === undefined || line === null) return 'Nobody stands in line.';
  const waiting = [...holders, ...line.waiters].reduce((sum, { behind }) => sum + behind, line.waiters.length);
  const unseen = line.unseen > 0 ? `, ${line.unseen} more not shown` : '';
  const hold = holders.length === 1 ? '1 holds' : `${holders.length} hold`;
  if (holders.length + waiting === 0) return 'Nobody stands in line.';
  return `${hold}, ${waiting} ${waiting === 1 ? 'waits' : 'wait'}${unseen}.`;
}

function claimItem(onRelease) {
  let latest;
  let isHolder = false;
  const position = make('span', { class: 'position' });
  const state = make('span', { class: 'state' });
  const what = make('span', { class: 'what' });
  const where = make('span', { class: 'where' });
  const facts = make('span', { class: 'facts' });
  const token = make('span', { class: 'facts token' });
  const button = make('button', { type: 'button', class: 'quiet', onclick: () => onRelease(latest) }, 'Force release…');
  const element = make('li', {}, position, make('span', {}, what, ' ', state), button, where, facts, token);

  return {
    element,
    update(data, howManyHold) {
      const holds = data.position <= howManyHold;
      latest = data;
      isHolder = holds;
      const owner = ownerLines(data.owner);
      setText(position, String(data.position));
      setText(state, holds ? 'holds' : 'waits');
      setText(what, owner.what);
      setText(where, owner.where);
      setText(token, data.token === undefined ? '' : `token ${data.token}`);
      element.classList.toggle('holds', holds);
      button.setAttribute('aria-label', `Force release of position ${data.position}, ${owner.what}`);
    },
    tick(now) {
      const { since, leaseEndsAt, slots, behind } = latest;
      const parts = [mode(slots)];
      if (since !== undefined) parts.push(`${isHolder ? 'in line' : 'waiting'} for ${duration(now - since)}`);
      parts.push(`lease ${duration(Math.max(0, leaseEndsAt - now))}`);
      if (behind > 0) parts.push(`${count(behind, 'caller')} behind it in this process`);
      setText(facts, parts.join(' · '));
    },
  };
}
