import { type Kind } from '../contenders/contender.js';
import { type Spread } from '../measure/statistics.js';
import { figure } from './figures.js';
import { line, logScale, picture, rectangle, steps, text, WIDTH, widthOf } from './svg.js';

export interface Bar extends Spread {
  readonly name: string;
  readonly kind: Kind;
}

const TOP = 46;
const ROW = 24;
const RIGHT = 70;

/** Bars from left to right, the shortest first; a thin line goes from the tenth to the ninetieth of a hundred samples. */
export function barChart({ title, unit, bars }: { title: string; unit: string; bars: readonly Bar[] }): string {
  const left = 24 + Math.max(...bars.map(({ name }) => widthOf(name)));
  const sorted = bars.toSorted((a, b) => a.median - b.median);
  const ends = bars.flatMap(({ p10, p90, median }) => [p10, p90, median]).filter((value) => value > 0);
  const ticks = steps(Math.min(...ends) / 1.5, Math.max(...ends));
  const x = logScale(ticks[0]!, ticks.at(-1)!, left, WIDTH - RIGHT);
  const bottom = TOP + ROW * sorted.length;
  const content = thinned(ticks).flatMap((tick) => [
    line(x(tick), TOP, x(tick), bottom, 'grid'),
    text(x(tick), bottom + 18, figure(tick), '', 'middle'),
  ]);
  for (const [index, { name, kind, median, p10, p90 }] of sorted.entries()) {
    const y = TOP + ROW * index;
    content.push(
      text(left - 8, y + 16, name, '', 'end'),
      rectangle(left, y + 4, Math.max(1, x(median) - left), ROW - 8, kind.replace(' ', '-')),
      line(x(Math.max(p10, ticks[0]!)), y + ROW / 2, x(p90), y + ROW / 2, 'whisker'),
      text(WIDTH - RIGHT + 8, y + 16, figure(median)),
    );
  }
  content.push(text((left + WIDTH - RIGHT) / 2, bottom + 38, `${unit}, on a scale of powers`, '', 'middle'));
  return picture(title, bottom + 50, content);
}

/** As many as can be read beside each other. */
function thinned(ticks: readonly number[]): readonly number[] {
  if (ticks.length <= 9) return ticks;
  return ticks.filter((tick) => tick.toExponential().startsWith('1'));
}
