import { type Random } from '../../../lib/core/index.js';
import { ZooKeeperBackend } from '../../../lib/zookeeper/index.js';
import { SimulatedDriver } from './driver.js';
import { type Ensemble } from './ensemble.js';
import { SimulatedRelay } from './relay.js';
import { type Way } from './wire.js';

/** The backend itself, on its way to an ensemble. */
export function simulatedBackend(
  ensemble: Ensemble,
  way: Way,
  { sessionMs: sessionTimeoutMs, random }: { readonly sessionMs: number; readonly random: Pick<Random, 'fraction'> },
): ZooKeeperBackend {
  const relays: SimulatedRelay[] = [];
  return new ZooKeeperBackend(
    { connect: ensemble.members.map(({ index }) => `server-${index}`).join(','), sessionTimeoutMs },
    {
      clock: way.clock,
      nextTurn: (call) => call(),
      makeRelay: (terms) => {
        const first = Math.floor(random.fraction() * ensemble.members.length);
        const relay = new SimulatedRelay(ensemble, way, terms, String(relays.length), first);
        relays.push(relay);
        return relay;
      },
      openDriver: () => new SimulatedDriver(way, (address) => relays[Number(address)]!),
    },
  );
}
