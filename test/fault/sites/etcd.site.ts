import { type EtcdServer, startEtcdCluster } from '../../support/etcd-server.js';
import { until } from '../../support/until.js';
import { type Site } from '../site.js';
import { type World } from '../world.js';

/** A cluster of three. */
export async function startEtcdSite(): Promise<Site> {
  const members = await startEtcdCluster();
  return {
    name: 'etcd',
    exclusion: true,
    leaseMs: 1_500,
    ports: members.map(({ port }) => port),
    address: (ports) => ({ kind: 'etcd', ports }),
    faults: [
      { name: 'the leader of etcd is killed', inject: async () => killed([await leader()]) },
      { name: 'the leader of etcd is stopped', inject: async (world) => stopped(await leader(), world) },
      { name: 'a member of etcd is killed', inject: async (world) => killed([world.oneOf(members)]) },
      { name: 'a member of etcd is stopped', inject: async (world) => stopped(world.oneOf(members), world) },
      { name: 'the majority of etcd is killed', inject: async () => killed(members.slice(1)) },
      { name: 'etcd is restarted, member by member', inject: restartedInTurn },
    ],
    stop: async () => void (await Promise.all(members.map((member) => member.stop()))),
  };

  async function leader(): Promise<EtcdServer> {
    type Status = { readonly header: { readonly member_id: string }; readonly leader?: string };
    return until('etcd has a leader', async () => {
      for (const member of members) {
        const { header, leader } = await member.ask<Status>('/v3/maintenance/status', {});
        if (header.member_id === leader) return member;
      }
      return undefined;
    });
  }

  async function killed(some: readonly EtcdServer[]): Promise<void> {
    await Promise.all(some.map((member) => member.kill()));
    await Promise.all(some.map((member) => member.restart()));
  }

  async function stopped(member: EtcdServer, world: World): Promise<void> {
    member.pause();
    await world.lasts(1, 2);
    member.resume();
  }

  async function restartedInTurn(): Promise<void> {
    for (const member of members) {
      await member.kill('SIGTERM');
      await member.restart();
    }
  }
}
