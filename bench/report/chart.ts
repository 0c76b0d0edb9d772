import { barChart, type Bar } from './bar-chart.js';
import { lineChart, type Line } from './line-chart.js';

interface Named {
  /** Of its file. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
}

export type Chart =
  | (Named & { readonly kind: 'bars'; readonly bars: readonly Bar[] })
  | (Named & { readonly kind: 'lines'; readonly across: string; readonly lines: readonly Line[] });

export function draw(chart: Chart): string {
  return chart.kind === 'bars' ? barChart(chart) : lineChart(chart);
}
