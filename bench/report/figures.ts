import { type Estimate, type Spread } from '../measure/statistics.js';

/** Three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));
  return value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const figureOf = ({ median, p10, p90 }: Spread): string => `${figure(median)} (${figure(p10)}–${figure(p90)})`;

export const estimated = ({ value, low, high }: Estimate): string =>
  `${figure(value)} (${figure(low)}–${figure(high)})`;
