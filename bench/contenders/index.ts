import { barePush } from './bare-push.js';
import { byHand, byHandFenced, byHandInTurn, byHandPipelined, byHandQueue } from './by-hand.js';
import { type Contender } from './contender.js';
import {
  oursInMemory,
  oursInSharedMemory,
  oursOnEtcd,
  oursOnPostgres,
  oursOnRedis,
  oursOnZooKeeper,
  oursRetaining,
  oursStrict,
} from './ours.js';
import { leanUniversal, redisPeers, tunedRedisPeers } from './redis-peers.js';
import { zooKeeperByHand, zooKeeperByHandRelayed } from './zookeeper.js';

const everybody: readonly Contender[] = [
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
  leanUniversal,
  oursInMemory,
  oursInSharedMemory,
  oursOnPostgres,
  oursOnEtcd,
  oursOnZooKeeper,
  zooKeeperByHand,
  ...(zooKeeperByHandRelayed === undefined ? [] : [zooKeeperByHandRelayed]),
];

/** By the name that one process tells another. */
export function contenderCalled(name: string): Contender {
  const contender = everybody.find((each) => each.name === name);
  if (contender === undefined) throw new Error(`nobody is called ${name}`);
  return contender;
}
