import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { requireDriver } from '../../lib/zookeeper/zookeeper.driver.js';
import { describeOnZooKeeper } from '../support/zookeeper-installed.js';
import { startZooKeeperServer, type ZooKeeperServer } from '../support/zookeeper-server.js';

jest.setTimeout(90_000);

describeOnZooKeeper('the driver does not end the process, which ends by itself when all is closed:', () => {
  let server: ZooKeeperServer;
  beforeAll(async () => {
    server = await startZooKeeperServer();
  });
  afterAll(() => server.stop());

  it.each<[string, unknown]>([
    ['a second thread', { heard: 'LOCK_CONFIG', held: true }],
    ['closing while watches are delivered', 'closed'],
    ['closing when the connection is lost, while several wait', 'closed'],
    ['a session opened by whoever hears that a connection is lost', 5],
    ['asking when the connection was reset a moment ago', [true, true, true, true]],
    ['sockets of others, while a server is silent', [true, true, true]],
    ['sockets of others, after the event loop was held up', Array.from({ length: 9 }, () => true)],
    ['a server that cannot even be tried, beside one that serves', 8],
    ['a server that hangs up on one greeting after the other, as while it elects a leader', 'acquired'],
    ['asking after closing, and closing again', [2, 'rejected', 'rejected', 'rejected', 'rejected']],
    ['a long answer in small pieces', [1, 300, true]],
    ['a host that has no address', 'LOCK_BACKEND'],
    ['a server that is not there', 'LOCK_BACKEND'],
    ['a server that hangs when it is told goodbye', 'closed'],
  ])('%s', async (name, said) => {
    expect(await told(name, server.connect)).toEqual({ code: 0, signal: null, said, errors: '' });
  });
});

describe('a driver that cannot be loaded', () => {
  const failing = (error: Error) => () =>
    requireDriver(() => {
      throw error;
    });

  it('is not installed', () => {
    const missing = Object.assign(new Error("Cannot find module 'zookeeper'"), { code: 'MODULE_NOT_FOUND' });
    expect(failing(missing)).toThrow(/npm install zookeeper/);
  });

  it.each([
    { message: 'was compiled against a different Node.js version', code: 'ERR_DLOPEN_FAILED' },
    { message: 'No native build was found for platform=linux arch=x64', code: undefined },
  ])('was built for another Node, or not at all: $message', ({ message, code }) => {
    const error = Object.assign(new Error(message), { code });
    expect(failing(error)).toThrow(/npm rebuild zookeeper/);
    expect(failing(error)).toThrow(expect.objectContaining({ code: 'LOCK_CONFIG', cause: error }));
  });

  it('is something else', () => {
    expect(() => requireDriver(() => ({}))).toThrow(/cannot be loaded/);
  });
});

/** How a process ended that went through it, and what it said. */
async function told(name: string, server: string) {
  const child = fork(join(import.meta.dirname, 'driver.process.ts'), [name, server], {
    execArgv: ['--import', join(import.meta.dirname, '../support/typescript.mjs')],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said: unknown;
  let errors = '';
  child.on('message', (message) => (said = (message as { said: unknown }).said));
  child.stderr!.on('data', (text) => (errors += String(text)));
  const hung = setTimeout(() => child.kill('SIGKILL'), 40_000);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(hung);
  return { code, signal, said, errors };
}
