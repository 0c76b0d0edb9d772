// Keeps the TypeScript of README.md true: each block is cut from a file that CI compiles and runs. Above it stands where
// from, `<!-- from sample/00-readme/a.ts#name -->`; there it lies between `// #region name` and `// #endregion`.
//
//   node tools/readme.mjs [--write] [file]
//
// Checks; with --write it cuts anew what differs. What has no source is an error either way.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = dirname(import.meta.dirname);
const { write, file } = readArguments(process.argv.slice(2));
const problems = [];
const before = readFileSync(file, 'utf8').split('\n');
const after = [];
let blocks = 0;

for (let at = 0; at < before.length; at++) {
  const line = before[at];
  after.push(line);
  const fence = /^( *)(`{3,}|~{3,})\s*(\w*)/.exec(line);
  if (!fence) continue;

  const [, indent, ticks, language] = fence;
  const start = at + 1;
  const closing = before.findIndex((other, index) => index >= start && other.trim() === ticks);
  const end = closing === -1 ? before.length : closing;
  const block = before.slice(start, end);
  after.push(...(isCode(language) ? cut(start, indent, block) : block));
  at = end - 1;
  // The closing fence is not to be taken for an opening one.
  if (end < before.length) after.push(before[(at = end)]);
}

for (const [index, line] of before.entries()) {
  if (sourceIn(line) && !/^ *(`{3,}|~{3,})/.test(nextLine(index))) {
    problems.push(`${index + 1}: ${line.trim()} stands above no block`);
  }
}

if (write && after.join('\n') !== before.join('\n')) writeFileSync(file, after.join('\n'));
for (const problem of problems) console.error(`${file}:${problem}`);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${blocks} blocks ${write ? 'are cut' : 'are as cut'} from files that CI runs`);

function readArguments(given) {
  const unknown = given.filter((argument) => argument.startsWith('-') && argument !== '--write');
  const files = given.filter((argument) => !argument.startsWith('-'));
  if (unknown.length > 0 || files.length > 1) {
    console.error('usage: node tools/readme.mjs [--write] [file]');
    process.exit(2);
  }
  return { write: given.includes('--write'), file: resolve(files[0] ?? join(root, 'README.md')) };
}

function isCode(language) {
  return ['ts', 'typescript', 'tsx', 'mts', 'js', 'javascript', 'mjs'].includes(language.toLowerCase());
}

/** The block as it should be. */
function cut(start, indent, block) {
  blocks += 1;
  const source = sourceIn(previousLine(start - 1));
  if (!source) {
    problems.push(`${start}: a block of code without a source: put <!-- from a-file#a-region --> above it`);
    return block;
  }
  try {
    const wanted = regionOf(source.path, source.region).map((line) => (line === '' ? '' : indent + line));
    if (!write && wanted.join('\n') !== block.join('\n')) {
      const where = `${source.path}#${source.region}`;
      problems.push(`${start}: the block differs from ${where}: node tools/readme.mjs --write cuts it anew`);
    }
    return wanted;
  } catch (error) {
    problems.push(`${start}: ${error.message}`);
    return block;
  }
}

function sourceIn(line) {
  return /^\s*<!-- from (?<path>\S+?)#(?<region>\S+) -->\s*$/.exec(line)?.groups;
}

function previousLine(index) {
  return before.slice(0, index).findLast((line) => line.trim() !== '') ?? '';
}

function nextLine(index) {
  return before.slice(index + 1).find((line) => line.trim() !== '') ?? '';
}

/** The lines of a region, moved to the left as far as all of them can go. */
function regionOf(path, name) {
  const where = `${path}#${name}`;
  if (!path.startsWith('sample/') || path.includes('..'))
    throw new Error(`${where}: only what is under sample/ is run`);
  if (!existsSync(join(root, path))) throw new Error(`${where}: there is no such file`);
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  const starts = lines.flatMap((line, index) => (line.trim() === `// #region ${name}` ? [index + 1] : []));
  if (starts.length === 0) throw new Error(`${where}: the file has no "// #region ${name}"`);
  if (starts.length > 1) throw new Error(`${where}: the file has more than one region of that name`);
  const length = lines.slice(starts[0]).findIndex((line) => line.trim() === '// #endregion');
  if (length === -1) throw new Error(`${where}: no "// #endregion" follows`);

  const region = lines.slice(starts[0], starts[0] + length);
  if (region.some((line) => line.trim().startsWith('// #region'))) throw new Error(`${where}: regions do not nest`);
  const margin = Math.min(...region.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)));
  return region.map((line) => line.slice(margin));
}
