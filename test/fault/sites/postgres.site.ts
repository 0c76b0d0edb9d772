import { startPostgres } from '../../support/postgres-server.js';
import { type Site } from '../site.js';
import { type World } from '../world.js';

/** One server, which keeps what it has confirmed. */
export async function startPostgresSite(): Promise<Site> {
  // While it starts, it turns away whoever connects, and at its end it waits until each of those has heard that, or for so long:
  // 60 s by default. A connection that is silent does not hear it.
  const server = await startPostgres({ authentication_timeout: '2s' });
  return {
    name: 'postgres',
    exclusion: true,
    leaseMs: 1_500,
    ports: [server.port],
    address: ([port]) => ({ kind: 'postgres', port: port! }),
    faults: [
      { name: 'PostgreSQL is killed and started again', inject: () => restarted('SIGKILL') },
      { name: 'PostgreSQL is shut down at once and started again', inject: () => restarted('SIGQUIT') },
      { name: 'PostgreSQL is stopped for less than a lease', inject: (world) => stopped(world, 0.2, 0.6) },
      { name: 'PostgreSQL is stopped for more than a lease', inject: (world) => stopped(world, 1.2, 1.6) },
      {
        name: 'PostgreSQL ends half of its connections',
        inject: async () => {
          await server.admin.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE backend_type = 'client backend' AND application_name <> 'admin' AND random() < 0.5`,
          );
        },
      },
    ],
    stop: () => server.stop(),
  };

  async function restarted(signal: NodeJS.Signals): Promise<void> {
    await server.kill(signal);
    await server.restart();
  }

  async function stopped(world: World, from: number, to: number): Promise<void> {
    const { rows } = await server.admin.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'admin'`,
    );
    // Children of our server: those of the connections, and the one who would accept new ones.
    const pids = [server.pid, ...rows.map(({ pid }) => pid)];
    signal(pids, 'SIGSTOP');
    await world.lasts(from, to);
    signal(pids, 'SIGCONT');
  }
}

/** Some may have ended meanwhile: their number is nobody's, so long as their parent is stopped. */
function signal(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
