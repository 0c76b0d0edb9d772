import { sum } from './statistics.js';

/** The cost of one lock, where there are so many of whatever grows. */
export interface Point {
  readonly size: number;
  readonly cost: number;
}

export interface Growth {
  /** The cost of one lock grows like the size to the power of this. */
  readonly exponent: number;
  /** What that would be if it grew like the logarithm of the size, over the same sizes. */
  readonly ofLogarithm: number;
  readonly worse: boolean;
}

/** What the noise of the machine alone makes of a cost that does not grow. */
const NOISE = 0.07;

export function growth(points: readonly Point[]): Growth {
  const exponent = slope(points);
  const ofLogarithm = slope(points.map(({ size }) => ({ size, cost: Math.log2(size + 1) })));
  return { exponent, ofLogarithm, worse: exponent > ofLogarithm + NOISE };
}

/** Least squares, where both are logarithms. */
function slope(points: readonly Point[]): number {
  const xs = points.map(({ size }) => Math.log(size));
  const ys = points.map(({ cost }) => Math.log(cost));
  const x = sum(xs) / xs.length;
  const y = sum(ys) / ys.length;
  const across = sum(xs.map((each) => (each - x) ** 2));
  return sum(xs.map((each, index) => (each - x) * (ys[index]! - y))) / across;
}
