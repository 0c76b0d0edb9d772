import { type Link } from './link.js';
import { type Fault } from './site.js';
import { type World } from './world.js';

/** What can befall the connections of a process. */
export const linkFaults: readonly Fault[] = [
  onALink('connections are cut', async (link) => link.cut()),
  onALink('connections are cut, and refused for a while', async (link, world) => {
    link.refuse();
    await world.lasts(0.3, 1.5);
  }),
  onALink('connections are half open: nothing reaches the servers', async (link, world) => {
    link.silence('toServer');
    await world.lasts(0.3, 2);
  }),
  onALink('connections are half open: nothing comes back', async (link, world) => {
    link.silence('toClient');
    await world.lasts(0.3, 2);
  }),
  onALink('connections are silent for longer than a session', async (link, world) => {
    link.silence('toServer', 'toClient');
    await world.lasts(2.5, 3);
  }),
  onALink('connections are slow', async (link, world) => {
    link.delay(20 + world.chance() * 100, 'toServer', 'toClient');
    await world.lasts(0.5, 2);
  }),
  onALink('answers take longer than a lease', async (link, world) => {
    link.delay(world.leases(1.1, 1.3), 'toClient');
    await world.lasts(1.5, 2.5);
  }),
  onALink('new connections overtake old ones', async (link, world) => {
    link.letNewConnectionsOvertake();
    await world.lasts(0.5, 1.5);
  }),
  onALink('replies are lost', async (link, world) => {
    link.loseReplies(3);
    await world.lasts(0.3, 0.6);
  }),
];

function onALink(name: string, break_: (link: Link, world: World) => Promise<void>): Fault {
  return {
    name,
    inject: async (world) => {
      const { link } = world.someone;
      await break_(link, world);
      await link.heal();
    },
  };
}
