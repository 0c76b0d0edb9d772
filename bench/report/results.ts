import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Findings, type Table, type Verdict } from '../scenarios/scenario.js';
import { draw } from './chart.js';
import { type Facts } from './machine.js';

export interface Results {
  readonly command: string;
  readonly facts: Facts;
  /** By the title of the scenario. */
  readonly findings: ReadonlyMap<string, Findings>;
}

const HOW_TO_READ = `Measured by \`npm run bench\`, on the built package. Everybody has a turn in every round and a short one, all on the same
server with the same keys to hold; ratios are taken round by round, so that what the machine did to both at that moment
cancels out. A figure with two others behind it is the median of the medians of the repetitions, with the lowest and the
highest of them: that is how far the figure itself is to be trusted. Where it says p10–p90, it is how single turns spread.
Commands are counted by the server.`;

/** RESULTS.md and plots/, in a folder. */
export function write(folder: string, results: Results): void {
  const plots = join(folder, 'plots');
  rmSync(plots, { recursive: true, force: true });
  mkdirSync(plots, { recursive: true });
  for (const { charts } of results.findings.values()) {
    for (const chart of charts) writeFileSync(join(plots, `${chart.name}.svg`), draw(chart));
  }
  writeFileSync(join(folder, 'RESULTS.md'), page(results));
}

function page({ command, facts, findings }: Results): string {
  const verdicts = [...findings.values()].flatMap((each) => each.verdicts).toSorted((a, b) => a.row - b.row);
  const parts = [
    '# Results',
    HOW_TO_READ,
    markdownTable(
      ['', ''],
      [...facts, ['command', `\`${command}\``]].map((row) => [...row]),
    ),
    '## Wanted, measured',
    markdownTable(['row', '', 'wanted', 'measured', 'holds'], verdicts.map(verdictRow)),
  ];
  for (const { tables, charts } of findings.values()) {
    for (const table of tables) parts.push(...section(table));
    for (const { name, title } of charts) parts.push(`![${title}](plots/${name}.svg)`);
  }
  return `${parts.join('\n\n')}\n`;
}

const verdictRow = ({ row, what, wanted, measured, holds }: Verdict): string[] => [
  `${row}`,
  what,
  wanted,
  measured,
  holds ? 'yes' : '**no**',
];

const section = ({ title, head, rows, note }: Table): string[] => [`## ${title}`, markdownTable(head, rows), note];

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [row(head), row(rule), ...rows.map(row)].join('\n');
}
