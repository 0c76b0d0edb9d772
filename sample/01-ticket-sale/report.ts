import { type Outcome, type Rush } from './rush.js';

/** On a terminal one line that is rewritten in place, elsewhere a line for every quarter. */
export function progressOf({ variant, buyers }: Rush): (answers: number, sold: number) => void {
  const { stdout } = process;
  let shownAt = 0;
  return (answers, sold) => {
    const line = `${variant.padEnd(8)}  ${answers} of ${buyers} buyers answered, ${sold} tickets sold`;
    const done = answers === buyers;
    if (!stdout.isTTY) {
      if (answers % Math.ceil(buyers / 4) === 0 || done) stdout.write(`${line}\n`);
    } else if (done || performance.now() - shownAt > 50) {
      shownAt = performance.now();
      stdout.write(`\r\x1b[K${line}${done ? '\n' : ''}`);
    }
  };
}

export function tableOf(outcomes: readonly Outcome[]): string {
  const header = ['', 'sold', 'seats sold twice', 'oversold', 'refused', 'requests/s', 'wait p50', 'wait p99'];
  const rows = outcomes.map((run) => [
    run.variant.padEnd(8),
    run.sold,
    run.seatsSoldTwice,
    run.oversold,
    run.refused,
    Math.round(run.requestsPerSecond),
    `${Math.round(run.waitP50Ms)} ms`,
    `${Math.round(run.waitP99Ms)} ms`,
  ]);
  const lines = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((cell, column) => cell.padStart(widths[column]!)).join('  ')).join('\n');
}

/** Undefined if every seat was sold, and sold once. */
export function faultIn({ sold, oversold, seats }: Outcome): string | undefined {
  if (oversold > 0) return `${oversold} of ${sold} tickets are for a seat that somebody else has, too`;
  if (sold < seats) return `${seats - sold} seats were left, and buyers who wanted one were refused`;
  return undefined;
}
