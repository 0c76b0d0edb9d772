import { byId, following, make, setText } from './dom.js';
import { count, duration, reasonText, timeOfDay, visible } from './format.js';

/** The keys that were waited for longest; each leads to its line. `nameOf` a service is empty where there is one only. */
export function hottestList({ onSelect, nameOf }) {
  const list = following(byId('hottest'), (heat) => hotKey(heat, onSelect));
  return {
    show(heats) {
      byId('no-hottest').hidden = heats.length > 0;
      const byKey = new Map(heats.map((heat) => [JSON.stringify([heat.service, heat.key]), heat]));
      list.show([...byKey.keys()], (id) => byKey.get(id), nameOf, Math.max(1, heats[0]?.waitedMs ?? 0));
    },
  };
}

/** The locks that were lost or taken away, the last one first. */
export function lossesList({ onSelect, nameOf }) {
  const list = following(byId('losses'), (loss) => lostLock(loss, onSelect));
  return {
    show(losses) {
      byId('no-losses').hidden = losses.length > 0;
      const byEvent = new Map(losses.map((loss) => [JSON.stringify(loss), loss]));
      list.show([...byEvent.keys()], (id) => byEvent.get(id), nameOf);
    },
  };
}

function hotKey(heat, onSelect) {
  const meter = make('meter', { min: 0, 'aria-label': 'waited, next to the hottest key' });
  const facts = make('span', { class: 'facts' });
  return {
    element: make('li', {}, keyButton(heat, onSelect), meter, facts),
    update({ service, acquired, failed, waitedMs, heldMs }, nameOf, hottest) {
      meter.max = hottest;
      meter.value = waitedMs;
      const told = [
        nameOf(service),
        `waited ${duration(waitedMs)}`,
        heldMs > 0 && `held ${duration(heldMs)}`,
        count(acquired, 'time'),
        failed > 0 && `${failed.toLocaleString('en')} gave up`,
      ];
      setText(facts, told.filter(Boolean).join(' · '));
    },
  };
}

function lostLock(loss, onSelect) {
  const { at, what, service, reason, site } = loss;
  const happened = what === 'lost' ? `lost: ${reasonText(reason)}` : 'taken away from here';
  const facts = make('span', { class: 'facts' });
  return {
    element: make('li', {}, make('time', {}, timeOfDay(at)), keyButton(loss, onSelect), facts),
    update(_loss, nameOf) {
      setText(facts, [nameOf(service), happened, site && visible(site)].filter(Boolean).join(' · '));
    },
  };
}

function keyButton({ service, key }, onSelect) {
  return make('button', { type: 'button', class: 'key', onclick: () => onSelect({ service, key }) }, visible(key));
}
