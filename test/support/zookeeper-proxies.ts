import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Order } from './zookeeper-proxies.process.js';

type Asked = Order extends infer Each ? (Each extends Order ? Omit<Each, 'id'> : never) : never;

/**
 * Proxies in a process of their own: the driver holds up the event loop while it waits for the answer to its goodbye, and
 * a proxy in the same process could not pass it on.
 */
export class ZooKeeperProxies {
  private readonly child: ChildProcess;
  private readonly answers = new Map<number, (port: number) => void>();
  private asked = 0;

  constructor() {
    this.child = fork(join(import.meta.dirname, 'zookeeper-proxies.process.ts'), {
      execArgv: ['--import', join(import.meta.dirname, 'typescript.mjs')],
    });
    this.child.on('message', (message) => {
      const { id, port } = message as { id: number; port: number };
      this.answers.get(id)?.(port);
      this.answers.delete(id);
    });
  }

  /** Resolves to the port of a new proxy in front of that one. */
  open(target: number): Promise<number> {
    return this.order({ open: target });
  }

  async turn(port: number, turn: 'blackHole' | 'pass' | 'cut' | 'close'): Promise<void> {
    await this.order({ port, turn });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  private order(order: Asked): Promise<number> {
    const id = (this.asked += 1);
    return new Promise((resolve, reject) => {
      this.answers.set(id, resolve);
      this.child.send({ id, ...order }, (error) => void (error && reject(error)));
    });
  }
}
