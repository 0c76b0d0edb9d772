// A global is slow to reach from within a test, and these are reached a million times.
const { floor, imul } = Math;

/** Chance that a seed decides: the same every time. */
export class Dice {
  constructor(private state: number) {}

  /** From 0 up to, not including, 1. Mulberry32. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  below(limit: number): number {
    return floor(this.fraction() * limit);
  }

  oneOf<T>(...choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}
