// npm test: every check of the project, in order, until one fails. Its last line counts the tests: `N passed, N failed`.
// `unit` as argument: only the tests that need no server.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';

const root = dirname(import.meta.dirname);
const [selection, ...rest] = process.argv.slice(2);
let passed = 0;
let failed = 0;
const specsRun = new Set();
// One process for all specs grows past 1.5 GB, and then collects garbage for longer than the leases of the tests last.
const FRESH = '--workerIdleMemoryLimit=512MB';
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(root, 'node_modules/jest/bin/jest.js'),
];

const steps = {
  prepare: () => node('tools/prepare.mjs', 'install'),
  lint: () => script('lint'),
  format: () => script('format:check'),
  types: () => script('typecheck'),
  build: () => script('build'),
  servers: () => node('tools/servers.mjs'),
  tests: () => jest('--selectProjects', 'unit', 'system', FRESH),
  'tests on ZooKeeper': () => jestEach('zookeeper'),
  'no test was left out': everySpecRan,
  'the ticket sale': () => node('tools/start.mjs'),
  'the ticket sale by four processes, on Redis': () => sale('redis'),
  'the ticket sale by four processes, on ZooKeeper': () => sale('zookeeper'),
  'the ticket sale by four processes, on PostgreSQL': () => sale('postgres'),
  'the ticket sale by four processes, on etcd': () => sale('etcd'),
  'the ticket sale by four threads': () => sale('shared-memory'),
};
const unit = { prepare: steps.prepare, 'unit tests': () => jest('--selectProjects', 'unit') };

if (rest.length > 0 || (selection !== undefined && selection !== 'unit')) {
  console.error('npm test takes no arguments. For a part of the tests: npm run jest -- test/core -t "a name"');
  failed = 1;
} else {
  for (const [name, step] of Object.entries(selection === 'unit' ? unit : steps)) {
    console.log(`\n== ${name}`);
    const start = performance.now();
    const before = failed;
    step();
    console.log(
      `== ${name}: ${failed > before ? 'FAILED' : 'ok'} in ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    if (failed > before) break;
  }
}
process.exitCode = failed > 0 ? 1 : 0;
console.log(`\n${passed} passed, ${failed} failed`);

function node(...args) {
  if (!ran(process.execPath, args)) failed++;
}

function sale(backend) {
  node('tools/start.mjs', '--backend', backend, '--processes', '4');
}

function script(name) {
  if (!ran(`npm run --silent ${name}`, [], { shell: true })) failed++;
}

function ran(command, args, options) {
  // A step that hangs is a step that fails.
  const limit = { timeout: 50 * 60_000, killSignal: 'SIGKILL' };
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...limit, ...options }).status === 0;
}

function jest(...args) {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-'));
  try {
    const file = join(folder, 'jest.json');
    const ok = ran(process.execPath, [...JEST, '--json', `--outputFile=${file}`, ...args]);
    count(ok, existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every spec in a process of its own. */
function jestEach(project) {
  const command = [...JEST, '--listTests', '--json', '--selectProjects', project];
  const { stdout } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  for (const path of JSON.parse(stdout.split('\n').find((line) => line.startsWith('['))))
    jest('--runTestsByPath', path);
}

function count(ok, report) {
  passed += report?.numPassedTests ?? 0;
  let failures = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  const files = report?.testResults ?? [];
  for (const { name } of files) specsRun.add(relative(root, name).replaceAll(sep, '/'));

  for (const { fullName, status } of files.flatMap((result) => result.assertionResults)) {
    if (status === 'passed' || status === 'failed') continue;
    console.log(`not run (${status}): ${fullName}`);
    if (process.env.CI) failures++;
  }
  failed += ok || failures > 0 ? failures : 1;
}

function everySpecRan() {
  for (const spec of specFiles().filter((path) => !specsRun.has(path))) {
    console.log(`not run (no jest project matches its name): ${spec}`);
    failed++;
  }
}

/** Whatever looks like a test by its name, misspelt too: a file that the runner does not match is silent. */
function specFiles() {
  const paths = readdirSync(join(root, 'test'), { recursive: true }).map((name) => `test/${name.replaceAll(sep, '/')}`);
  return paths.filter((path) => /\.(spec|test)\b[^/]*$/.test(path) && !path.endsWith('.test-d.ts'));
}
