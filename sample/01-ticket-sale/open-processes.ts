import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Assignment } from './box-office.process.js';
import { type Channel, channelOver, channelTo } from './channel.js';
import { shareSeats } from './distant-seats.js';
import { type Address, lockPlace } from './lock-place.js';
import { type OpenSale } from './open-sale.js';
import { SeatStore } from './seat.store.js';

/** One of those who sell. It closes when we hang up. */
interface Branch {
  readonly channel: Channel;
  readonly ended: Promise<unknown>;
}

const SCRIPT = join(import.meta.dirname, 'box-office.process.js');

/**
 * The application several times over, each in a process of its own, or in a thread, where the locks can only be shared by
 * threads. All they have in common are the seats and the locks.
 */
export async function openProcesses(backend: string, count: number): Promise<OpenSale> {
  const { start, threads } = await lockPlace(backend);
  const { address, stop } = await start();
  const branches: Branch[] = [];
  const close = async (): Promise<void> => {
    for (const { channel } of branches) channel.hangUp();
    await Promise.all(branches.map(({ ended }) => ended));
    await stop();
  };
  try {
    const seats = new SeatStore();
    const urls = await Promise.all(
      Array.from({ length: count }, () => {
        const branch = threads ? startThread(backend, address) : startProcess(backend, address);
        branches.push(branch);
        shareSeats(seats, branch.channel);
        return urlOf(branch);
      }),
    );
    return { urls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startProcess(name: string, address: Address): Branch {
  const child = fork(SCRIPT, [name, String(address)]);
  return { channel: channelTo(child), ended: once(child, 'exit') };
}

function startThread(name: string, address: Address): Branch {
  const { port1, port2 } = new MessageChannel();
  const workerData: Assignment = { name, address, port: port2 };
  const worker = new Worker(SCRIPT, { workerData, transferList: [port2] });
  return { channel: channelOver(port1), ended: once(worker, 'exit') };
}

async function urlOf({ channel, ended }: Branch): Promise<string> {
  const url = new Promise<string>((resolve) => {
    channel.onMessage((message) => {
      const { url } = message as { url?: string };
      if (url !== undefined) resolve(url);
    });
  });
  const died = ended.then(() => Promise.reject(new Error('a process of the sale did not start')));
  died.catch(() => undefined);
  return Promise.race([url, died]);
}
