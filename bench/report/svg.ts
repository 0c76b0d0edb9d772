// Drawn without a package: a plot is a few rectangles, and this is all they need.

export const WIDTH = 860;

/** About as wide as this text is. */
export const widthOf = (content: string): number => 6.6 * content.length;

/** The colours are of the page that it is on, light or dark: a picture that is embedded still knows which. */
const STYLE = `
  svg { --ink: #1f2328; --faint: #d1d9e0; --paper: #ffffff; --ours: #0969da; --hand: #59636e; --peer: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --faint: #3d444d; --paper: #0d1117; --ours: #4493f8; --hand: #9198a1; --peer: #f0883e; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .title { font-size: 15px; font-weight: 600; }
  .paper { fill: var(--paper); }
  .grid { stroke: var(--faint); }
  .whisker { stroke: var(--ink); stroke-width: 1.5; }
  .curve { fill: none; stroke-width: 2; }
  .ours { fill: var(--ours); stroke: var(--ours); }
  .by-hand { fill: var(--hand); stroke: var(--hand); }
  .peer { fill: var(--peer); stroke: var(--peer); }
  text.ours, text.by-hand, text.peer { stroke: none; }
  .curve.ours, .curve.by-hand, .curve.peer { fill: none; }
`;

export function picture(title: string, height: number, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    text(16, 26, title, 'title'),
    ...content,
    '</svg>\n',
  ].join('\n');
}

export function text(x: number, y: number, content: string, kind = '', anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" class="${kind}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`;
}

export function rectangle(x: number, y: number, width: number, height: number, kind: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="2" class="${kind}"/>`;
}

export function curve(points: readonly (readonly [number, number])[], kind: string): string {
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ');
  return `<polyline points="${path}" class="curve ${kind}"/>`;
}

/** Where a value is between two ends, on a scale of powers. */
export function logScale(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = Math.log(high) - Math.log(low) || 1;
  return (value) => from + ((Math.log(value) - Math.log(low)) / span) * (to - from);
}

/** 1, 2, 5, 10, 20… and one step beyond both ends. */
export function steps(low: number, high: number): readonly number[] {
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of [1, 2, 5]) all.push(factor * 10 ** power);
  }
  const first = Math.max(
    0,
    all.findLastIndex((step) => step <= low * 1.0001),
  );
  const last = all.findIndex((step) => step >= high * 0.9999);
  return all.slice(first, last + 1);
}

const round = (value: number): string => String(Math.round(value * 10) / 10);

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
