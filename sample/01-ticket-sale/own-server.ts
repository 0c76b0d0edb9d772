import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type StartedPlace } from './lock-place.js';

export interface ServerCommand {
  readonly address: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Whose process it is, if not ours. */
  readonly user?: User | undefined;
  /** Rejects while it does not. */
  answers(): Promise<unknown>;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** On the loopback interface, in a folder of its own, for as long as this process lives. `otherwise` says what helps if it does not start. */
export async function startOwnServer(
  otherwise: string,
  prepare: (port: number, folder: string) => ServerCommand | Promise<ServerCommand>,
): Promise<StartedPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'ticket-sale-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  try {
    const { address, command, args, user, answers } = await prepare(await freePort(), folder);
    const server = spawn(command, args, { cwd: folder, stdio: 'ignore', ...user });
    const ended = once(server, 'exit').catch(() => undefined);
    // To all of these servers it means: now, and in good order.
    const kill = (): void => void server.kill('SIGINT');
    process.once('exit', kill);

    const stop = async (): Promise<void> => {
      kill();
      if (server.pid !== undefined) await ended;
      process.off('exit', kill);
      removeFolder();
    };
    const tooLate = performance.now() + 20_000;
    while (server.pid !== undefined && server.exitCode === null && performance.now() < tooLate) {
      const up = await answers().then(
        () => true,
        () => false,
      );
      if (up) return { address, stop };
      await sleep(50);
    }
    await stop();
    throw new Error(`${command} does not answer`);
  } catch (error) {
    removeFolder();
    throw new Error(`the server did not start: ${otherwise}`, { cause: error });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
