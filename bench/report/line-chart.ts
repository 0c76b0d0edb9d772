import { type Kind } from '../contenders/contender.js';
import { figure } from './figures.js';
import { curve, line, logScale, picture, rectangle, steps, text, WIDTH, widthOf } from './svg.js';

export interface Line {
  readonly name: string;
  readonly kind: Kind;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const TOP = 46;
const HEIGHT = 300;
const LEFT = 70;
const LABEL = 15;

/** Both axes are scales of powers. Each line has its name at its end. */
export function lineChart(chart: { title: string; unit: string; across: string; lines: readonly Line[] }): string {
  const { title, unit, across, lines } = chart;
  const right = 24 + Math.max(...lines.map(({ name }) => widthOf(name)));
  const points = lines.flatMap((each) => each.points);
  const xs = points.map(([x]) => x);
  const ys = steps(Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y)));
  const bottom = TOP + HEIGHT;
  const x = logScale(Math.min(...xs), Math.max(...xs), LEFT, WIDTH - right);
  const y = logScale(ys[0]!, ys.at(-1)!, bottom, TOP);
  const content: string[] = [];
  for (const tick of ys) {
    content.push(
      line(LEFT, y(tick), WIDTH - right, y(tick), 'grid'),
      text(LEFT - 8, y(tick) + 4, figure(tick), '', 'end'),
    );
  }
  for (const tick of new Set(xs)) content.push(text(x(tick), bottom + 18, figure(tick), '', 'middle'));
  let labelled = -Infinity;
  for (const { name, kind, points } of lines.toSorted((a, b) => y(a.points.at(-1)![1]) - y(b.points.at(-1)![1]))) {
    const of = kind.replace(' ', '-');
    content.push(
      curve(
        points.map(([across, up]) => [x(across), y(up)]),
        of,
      ),
    );
    for (const [across, up] of points) content.push(rectangle(x(across) - 2.5, y(up) - 2.5, 5, 5, of));
    const [lastX, lastY] = points.at(-1)!;
    labelled = Math.max(y(lastY) + 4, labelled + LABEL);
    content.push(text(x(lastX) + 10, labelled, name, of));
  }
  content.push(text((LEFT + WIDTH - right) / 2, bottom + 38, across, '', 'middle'), text(16, TOP - 6, unit));
  return picture(title, bottom + 50, content);
}
