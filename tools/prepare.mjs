// Makes a fresh clone usable: installs what package-lock.json names, then builds dist from lib. Silent when both are done.
// `install` as argument: leaves the build out.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

process.chdir(dirname(import.meta.dirname));

unlessDone('install', ['package-lock.json'], () => {
  // No dependency needs its install script here, and one of them would phone home.
  run('npm ci --include=dev --ignore-scripts --no-audit --no-fund --loglevel=error');
});

if (process.argv[2] !== 'install') {
  if (!existsSync('dist')) forget('build');
  unlessDone('build', ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...filesIn('lib')], () => {
    rmSync('dist', { recursive: true, force: true });
    run('node node_modules/typescript/bin/tsc -p tsconfig.build.json');
    // The compiler leaves the Lua scripts and the files of the page where they are.
    for (const folder of ['redis/scripts', 'dashboard/page']) {
      cpSync(`lib/${folder}`, `dist/${folder}`, { recursive: true });
    }
  });
}

/** A stamp tells what was done for which inputs. Kept in node_modules: a new install builds anew. */
function unlessDone(what, inputs, work) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of inputs) hash.update(`\0${file}\0`).update(readFileSync(file));
  const digest = hash.digest('hex');
  if (existsSync(stampOf(what)) && readFileSync(stampOf(what), 'utf8') === digest) return;

  forget(what);
  console.error(`prepare: ${what}`);
  work();
  mkdirSync(dirname(stampOf(what)), { recursive: true });
  writeFileSync(stampOf(what), digest);
}

function forget(what) {
  rmSync(stampOf(what), { force: true });
}

function stampOf(what) {
  return join('node_modules/.prepared', what);
}

function filesIn(folder) {
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return paths.filter((path) => statSync(path).isFile()).toSorted();
}

/** Shows what a command says on stderr, and the rest only when it fails. */
function run(command) {
  const { status, stdout } = spawnSync(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] });
  if (status === 0) return;
  process.stderr.write(stdout);
  console.error(`prepare: failed: ${command}`);
  process.exit(1);
}
