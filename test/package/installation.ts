import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Dependencies by name, each with its version. */
export type Dependencies = Readonly<Record<string, string>>;

/** A folder that packages are installed into, as an application's. */
export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-artefact-'));

  /** @param type what its files are: `module` or `commonjs`. */
  constructor(private readonly type: 'module' | 'commonjs' = 'module') {}

  install(dependencies: Dependencies): void {
    this.write('package.json', JSON.stringify({ private: true, type: this.type, dependencies }));
    this.add();
  }

  add(...packages: readonly string[]): void {
    const quickly = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    npm(this.folder, 'install', ...quickly, ...packages);
  }

  /** Of what is installed. */
  versionOf(name: string): string {
    const text = readFileSync(join(this.folder, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  copy(from: string, name: string): void {
    cpSync(from, join(this.folder, name));
  }

  /** Runs a script and returns what it prints. @throws what it says when it fails. */
  run(...args: readonly string[]): string {
    const options = { cwd: this.folder, encoding: 'utf8', timeout: 50_000 } as const;
    return printed(spawnSync(process.execPath, [...args], options), args);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function npm(cwd: string, ...args: readonly string[]): void {
  // By the shell, since npm is a script on Windows. Nothing here has a character that a shell would take.
  const options = { cwd, shell: true, encoding: 'utf8', timeout: 240_000 } as const;
  printed(spawnSync(`npm ${args.join(' ')}`, options), ['npm', ...args]);
}

function printed(result: ReturnType<typeof spawnSync>, command: readonly string[]): string {
  const { status, stdout, stderr } = result;
  if (status === 0) return String(stdout);
  throw new Error(`${command.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
}
