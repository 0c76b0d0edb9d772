import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { programOf } from '../../tools/servers.mjs';
import { freePort } from './free-port.js';
import { OwnServer, started } from './own-server.js';
import { accountOf, type PostgresServer } from './postgres-server.js';
import { type ServerCommand } from './server-process.js';

/** A pooler of one's own, that gives every transaction one of so many connections to the server. */
export function startPgbouncer(server: PostgresServer, connections: number): Promise<Pgbouncer> {
  return started(async () => new Pgbouncer(await freePort(), server, connections));
}

export class Pgbouncer extends OwnServer {
  readonly url: string;

  constructor(
    readonly port: number,
    server: PostgresServer,
    connections: number,
  ) {
    // It refuses to be root's.
    super('pgbouncer', process.getuid?.() === 0 ? accountOf('postgres') : undefined);
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const lines = [
      '[databases]',
      `postgres = host=127.0.0.1 port=${server.port} user=postgres`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      `default_pool_size = ${connections}`,
      'max_client_conn = 200',
      'admin_users = postgres',
      'application_name_add_host = 0',
    ];
    writeFileSync(join(this.folder, 'pgbouncer.ini'), `${lines.join('\n')}\n`);
  }

  protected command(): Pick<ServerCommand, 'command' | 'args' | 'answers'> {
    return {
      command: programOf('pgbouncer'),
      args: [join(this.folder, 'pgbouncer.ini')],
      answers: () => this.answers(),
    };
  }

  private async answers(): Promise<boolean> {
    const client = new pg.Client(this.url);
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query('SELECT 1')).rowCount === 1;
    } finally {
      await client.end();
    }
  }
}
