import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { programOf } from '../../tools/servers.mjs';
import { freePort } from './free-port.js';
import { OwnServer, started } from './own-server.js';
import { type ServerCommand } from './server-process.js';

/** A server of one's own on a free loopback port, with a superuser and a database `postgres`. */
export function startPostgres(settings: Readonly<Record<string, string | number>> = {}): Promise<PostgresServer> {
  return started(async () => new PostgresServer(await freePort(), settings));
}

export class PostgresServer extends OwnServer {
  private readonly program = programOf('postgres');
  readonly url: string;
  /** For what tests ask of it. */
  readonly admin: pg.Pool;

  constructor(
    readonly port: number,
    settings: Readonly<Record<string, string | number>>,
  ) {
    // The server refuses to be root's.
    super('postgres', process.getuid?.() === 0 ? accountOf('postgres') : undefined);
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    this.admin = this.pool({ application_name: 'admin', max: 3 });
    const data = join(this.folder, 'data');
    execFileSync(
      join(dirname(this.program), 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
      { cwd: this.folder, stdio: 'pipe', ...this.user },
    );
    const own = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      // Nothing here survives the machine; what a killed process has written, the kernel keeps.
      fsync: 'off',
      max_connections: 200,
      shared_buffers: '32MB',
      max_wal_senders: 0,
      wal_level: 'minimal',
    };
    const lines = Object.entries({ ...own, ...settings }).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(data, 'postgresql.conf'), lines.join(''));
    const access = [
      'host all "needs a password" 127.0.0.1/32 scram-sha-256\n',
      'host all "not welcome" 127.0.0.1/32 reject\n',
      'host all all 127.0.0.1/32 trust\n',
    ];
    writeFileSync(join(data, 'pg_hba.conf'), access.join(''));
  }

  /** A pool whose connections the server knows by this name. Whoever opens it ends it. */
  pool(config: pg.PoolConfig = {}): pg.Pool {
    const { port } = this;
    const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', ...config });
    pool.on('error', () => undefined);
    return pool;
  }

  /** How many connections there are under this name. */
  async connections(applicationName: string): Promise<number> {
    const sql = 'SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1';
    const { rows } = await this.admin.query<{ count: number }>(sql, [applicationName]);
    return rows[0]!.count;
  }

  override async stop(): Promise<void> {
    await this.admin.end();
    await super.stop();
  }

  protected command(): Pick<ServerCommand, 'command' | 'args' | 'answers'> {
    const data = join(this.folder, 'data');
    // On a connection of its own: those of the pool may still be answered by what is left of a server that was killed.
    const answers = async (): Promise<boolean> => {
      const fresh = this.pool({ max: 1 });
      try {
        const { rows } = await fresh.query<{ data_directory: string }>('SHOW data_directory');
        return rows[0]!.data_directory === data;
      } finally {
        await fresh.end();
      }
    };
    return { command: this.program, args: ['-D', data], answers };
  }
}

/** By number. */
export function accountOf(name: string): { uid: number; gid: number } {
  const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  if (uid === undefined) throw new Error(`there is no user ${name}: it comes with apt-get install postgresql`);
  return { uid: Number(uid), gid: Number(gid) };
}
