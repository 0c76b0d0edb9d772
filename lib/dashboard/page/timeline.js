import { draw, make, setText } from './dom.js';
import { count, duration, reasonText, timeOfDay, visible } from './format.js';

const WIDTH = 1000;
const LANE = 14;
const BAR = 10;
const MOST_LANES = 16;
const SHORTEST_MS = 15_000;
const MOST_TOLD = 20;

/** Waits and holds of one key as bars over time, and the last of them as a table. */
export function timeline() {
  const chart = draw('svg', { class: 'bars', role: 'img', preserveAspectRatio: 'none' });
  const start = make('span');
  const rows = make('tbody');
  const nothing = make('p', { class: 'empty' }, 'This process has not locked it in the last minutes.');
  const told = make(
    'details',
    {},
    make('summary', {}, 'The last of them as a table'),
    make(
      'table',
      { class: 'told' },
      make(
        'thead',
        {},
        make(
          'tr',
          {},
          ...['Began', 'Waited', 'Held', 'Ended', 'By'].map((title) => make('th', { scope: 'col' }, title)),
        ),
      ),
      rows,
    ),
  );
  const drawing = make(
    'div',
    { class: 'chart' },
    chart,
    make('div', { class: 'axis' }, start, make('span', {}, 'now')),
    make('p', { class: 'legend' }, key('wait', 'waits'), key('hold', 'holds'), key('lost', 'lost, or gave up waiting')),
    told,
  );
  const element = make(
    'div',
    { class: 'timeline' },
    make('h3', {}, 'The last minutes'),
    make('p', { class: 'note' }, 'Only what callers of this process did: others have their own page.'),
    nothing,
    drawing,
  );
  let spans = [];
  let windowMs = 0;

  return {
    element,
    update(all, longestMs) {
      spans = all;
      windowMs = longestMs;
      nothing.hidden = spans.length > 0;
      drawing.hidden = spans.length === 0;
    },
    tick(now) {
      if (spans.length === 0) return;
      const earliest = Math.min(...spans.map(({ waitedFrom }) => waitedFrom));
      const shownMs = Math.min(windowMs, Math.max(SHORTEST_MS, now - earliest));
      const lanes = lanesOf(spans, now - shownMs, now);
      drawBars(chart, lanes, now - shownMs, shownMs, now);
      setText(start, `${duration(shownMs)} ago`);
      chart.setAttribute('aria-label', `${count(spans.length, 'caller')} in the last ${duration(shownMs)}`);
      if (told.open)
        rows.replaceChildren(
          ...spans
            .slice(-MOST_TOLD)
            .toReversed()
            .map((span) => toldRow(span, now)),
        );
    },
  };
}

/** Bars that overlap stand below each other. What finds no lane any more overlaps in the last one. */
export function lanesOf(spans, from, now) {
  const lanes = [];
  for (const span of spans) {
    const until = span.until ?? now;
    if (until < from) continue;
    let lane = lanes.find((other) => other.until <= span.waitedFrom);
    if (lane === undefined && lanes.length < MOST_LANES) lanes.push((lane = { until: 0, spans: [] }));
    lane ??= lanes.at(-1);
    lane.until = Math.max(lane.until, until);
    lane.spans.push(span);
  }
  return lanes.map((lane) => lane.spans);
}

function drawBars(chart, lanes, from, shownMs, now) {
  const height = Math.max(1, lanes.length) * LANE;
  chart.setAttribute('viewBox', `0 0 ${WIDTH} ${height}`);
  chart.setAttribute('height', String(height));
  const x = (at) => (Math.max(0, at - from) / shownMs) * WIDTH;
  const bar = (kind, lane, begin, end) =>
    draw('rect', {
      class: kind,
      x: x(begin).toFixed(1),
      y: lane * LANE + (LANE - BAR) / 2,
      width: Math.max(2, x(end) - x(begin)).toFixed(1),
      height: BAR,
    });
  const bars = lanes.flatMap((spans, lane) =>
    spans.flatMap(({ waitedFrom, heldFrom, until = now, end }) => {
      const failed = end === 'lost' || end === 'timed-out' || end === 'aborted';
      if (heldFrom === undefined) return [bar('lost', lane, waitedFrom, until)];
      const held = bar(failed ? 'lost' : 'hold', lane, heldFrom, until);
      return heldFrom - waitedFrom < 1 ? [held] : [bar('wait', lane, waitedFrom, heldFrom), held];
    }),
  );
  chart.replaceChildren(...bars);
}

function toldRow({ waitedFrom, heldFrom, until, end, reason, site }, now) {
  const waitedMs = (heldFrom ?? until ?? now) - waitedFrom;
  const held = heldFrom === undefined ? '' : duration((until ?? now) - heldFrom);
  const ended = end === undefined ? 'holds it' : `${end}${reason ? `: ${reasonText(reason)}` : ''}`;
  const cells = [timeOfDay(waitedFrom), duration(waitedMs), held, ended, visible(site ?? '')];
  return make('tr', {}, ...cells.map((text) => make('td', {}, text)));
}

function key(kind, text) {
  return make('span', {}, make('i', { class: kind, 'aria-hidden': 'true' }), text);
}
