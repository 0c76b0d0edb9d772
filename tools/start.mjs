// npm start: builds the package, compiles the samples against it, and runs the first one with the arguments given; or
// another one, if its name is the first of them.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = dirname(import.meta.dirname);
const output = join(root, 'sample/dist');

run('tools/prepare.mjs');
// The packages come without their install scripts, and this one is nothing without it.
if (process.argv.some((argument) => /^(--backend=)?zookeeper$/.test(argument)))
  run('tools/servers.mjs', 'zookeeper-driver');
rmSync(output, { recursive: true, force: true });
run('node_modules/typescript/bin/tsc', '-p', 'sample/tsconfig.json');

// In this process, so that its exit code and its signals need no passing on.
const [name, ...others] = process.argv.slice(2);
const named = name !== undefined && existsSync(join(root, 'sample', name, 'main.ts'));
const main = join(output, named ? name : '01-ticket-sale', 'main.js');
process.argv = [process.execPath, main, ...(named ? others : process.argv.slice(2))];
process.setSourceMapsEnabled(true);
await import(pathToFileURL(main).href);

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
