import { barePush } from './bare-push.js';
import { byHand, byHandFenced, byHandInTurn, byHandPipelined, byHandQueue } from './by-hand.js';
import { type Contender } from './contender.js';
import { oursOnRedis, oursRetaining, oursStrict } from './ours.js';
import { redisPeers, tunedRedisPeers } from './redis-peers.js';

const onRedis: readonly Contender[] = [
  oursOnRedis,
  oursStrict,
  oursRetaining,
  byHand,
  byHandFenced,
  byHandInTurn,
  byHandPipelined,
  byHandQueue,
  barePush,
  ...redisPeers,
  ...tunedRedisPeers,
];

/** By the name that one process tells another. */
export function contenderCalled(name: string): Contender {
  const contender = onRedis.find((each) => each.name === name);
  if (contender === undefined) throw new Error(`nobody is called ${name}`);
  return contender;
}
