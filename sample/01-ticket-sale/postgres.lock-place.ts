import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CasBackend } from 'nestjs-locked/cas';
import { PostgresStore } from 'nestjs-locked/cas/postgres';
import { Client } from 'pg';
import { type LockPlace } from './lock-place.js';
import { startOwnServer, type User } from './own-server.js';

const place: LockPlace = {
  async start() {
    const { DATABASE_URL: address } = process.env;
    if (address) return { address, stop: async () => undefined };
    const otherwise = 'install PostgreSQL (Debian: apt-get install postgresql), or set DATABASE_URL to one that runs';
    return startOwnServer(otherwise, (port, folder) => {
      const user = userOfServer();
      if (user !== undefined) chownSync(folder, user.uid, user.gid);
      const data = join(folder, 'data');
      const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--no-instructions'];
      execFileSync(programOf('initdb'), init, { cwd: folder, stdio: 'ignore', ...user });
      const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' };
      const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
      return {
        address: url,
        command: programOf('postgres'),
        args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        user,
        answers: () => ask(url),
      };
    });
  },
  connect(url) {
    const table = 'ticket_sale_locks';
    return new CasBackend({ store: new PostgresStore({ url: String(url), table, createTable: true }) });
  },
};
export default place;

/** The server refuses to be root's. */
function userOfServer(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, 'postgres'], { stdio: 'pipe' })));
  return { uid: uid!, gid: gid! };
}

/** Debian keeps several versions side by side, and out of PATH. */
function programOf(name: string): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).map(Number).filter(Number.isInteger) : [];
  const paths = versions.toSorted((a, b) => b - a).map((version) => join(root, String(version), 'bin', name));
  return paths.find((path) => existsSync(path)) ?? name;
}

async function ask(connectionString: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}
