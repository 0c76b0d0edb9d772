import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The wall clock of processes that are started with `env`, to be moved while they run. Their monotonic clock stays, as
 * when somebody sets the clock of a machine; with `monotonic` it goes along, and time itself passes faster for them, but
 * whoever sleeps until a timer of Node is due must be woken. libfaketime would do it, if it did not keep redis-server
 * from starting.
 */
export class MovableClock {
  readonly env: NodeJS.ProcessEnv;
  private readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-clock-'));
  private readonly offset = openSync(join(this.folder, 'offset'), 'w');

  /** @throws where there is no C compiler, and says what to install. */
  constructor({ monotonic = false } = {}) {
    const library = join(this.folder, 'clock.so');
    this.move(0);
    const source = join(import.meta.dirname, 'movable-clock.c');
    const { status, error, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
    if (status !== 0) {
      this.remove();
      const advice = 'this test compiles some C, and cc failed: install it (Debian: apt-get install gcc libc6-dev)';
      throw new Error(advice, { cause: error ?? String(stderr) });
    }
    this.env = { LD_PRELOAD: library, CLOCK_OFFSET_FILE: join(this.folder, 'offset') };
    if (monotonic) this.env['CLOCK_OFFSET_MONOTONIC'] = '1';
  }

  /** From now on it shows so many seconds more than it would by itself. */
  move(offsetSeconds: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Math.round(offsetSeconds * 1e9)));
    // In place and never shorter: whoever runs has it mapped.
    writeSync(this.offset, bytes, 0, bytes.length, 0);
  }

  remove(): void {
    closeSync(this.offset);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
