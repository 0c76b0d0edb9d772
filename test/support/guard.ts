import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Kills a process and removes its folder when the process that started them is gone, however it went: the pipe to the
 * guard is closed by the kernel. A handler of 'exit' would not do: SIGKILL leaves it no time, and the `process` that
 * Jest gives to tests has none.
 */
export class Guard {
  private readonly shell: ChildProcess;

  constructor(pid: number, folder: string) {
    const script = 'read -r _ || kill -9 "$1"; read -r _ || rm -rf "$2"';
    // A session of its own: Ctrl+C must not end the guard first.
    this.shell = spawn('sh', ['-c', script, 'guard', String(pid), folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.shell.stdin!.on('error', () => undefined);
    this.shell.unref();
    (this.shell.stdin as unknown as { unref(): void }).unref();
  }

  /** The process is gone: its id may soon be another's. */
  forgetProcess(): void {
    this.shell.stdin!.write('\n');
  }

  /** The process is gone, and the folder is gone or somebody else's. */
  async dismiss(): Promise<void> {
    if (this.shell.exitCode !== null || this.shell.signalCode !== null) return;
    this.shell.ref();
    this.shell.stdin!.write('\n');
    await once(this.shell, 'exit');
  }
}
