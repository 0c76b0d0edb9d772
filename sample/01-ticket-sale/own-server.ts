import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartedPlace } from './lock-place.js';

export interface OwnServer {
  readonly command: string;
  /** What it is started with. It may write what it needs into its folder. */
  readonly args: (port: number, folder: string) => readonly string[];
  readonly addressOf: (port: number) => string;
  /** Resolves when it is ready, or will not be. */
  readonly answers: (port: number) => Promise<boolean>;
  /** What to do where it does not start. */
  readonly otherwise: string;
}

/** On the loopback interface, in a folder of its own, for as long as this process lives. */
export async function startOwnServer({
  command,
  args,
  addressOf,
  answers,
  otherwise,
}: OwnServer): Promise<StartedPlace> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'ticket-sale-'));
  const server = spawn(command, args(port, folder), { cwd: folder, stdio: 'ignore' });
  const ended = once(server, 'exit').catch(() => undefined);
  const kill = (): void => void server.kill();
  process.once('exit', kill);

  const stop = async (): Promise<void> => {
    kill();
    if (server.pid !== undefined) await ended;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  const died = ended.then(() => false);
  if (server.pid !== undefined && (await Promise.race([answers(port), died]))) {
    return { address: addressOf(port), stop };
  }
  await stop();
  throw new Error(`${command} did not start a server: ${otherwise}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
