import { loadScripts } from '../../../lib/redis/redis.scripts.js';
import { type Family } from '../families/family.js';
import { redisFamily } from '../families/redis.family.js';
import { type PlantedBug } from './planted-bug.js';

/** In the scripts that Redis runs. */
export const redisBugs: readonly PlantedBug[] = [
  {
    name: 'Redis: a token that falls after a failover, for it counts from the last one only',
    caughtBy: 'fence monotonicity',
    byNoOther: true,
    family: withBug([`if before < time then return time end`, ``]),
  },
  {
    name: 'Redis: a claim that waits keeps its place when a replica that knows less takes over',
    caughtBy: 'fence monotonicity',
    family: withBug([`and reign ~= k.reign()`, `and false`]),
  },
  {
    name: 'Redis: a claim that asks again gives its place up, though nothing has befallen the server',
    caughtBy: 'liveness',
    family: withBug([
      `tonumber(place) <= tonumber(least) and reign ~= k.reign()`,
      `tonumber(place) <= tonumber(least)`,
    ]),
  },
  {
    name: 'Redis: a renewal that does not look whether the lease has ended, and puts the claim in line again',
    caughtBy: 'belief overlap',
    family: withBug([
      `if ends <= ms then return 0 end`,
      `if ends == 0 then redis.call('ZADD', line, place, claim) end`,
    ]),
  },
  {
    name: 'Redis: a release that does not look whose claim it is',
    caughtBy: 'belief overlap',
    family: withBug(
      [`if ends and -ends > ms then`, `if true then`],
      [`if not redis.call('ZSCORE', line, claim) then return 0 end`, `if k.sizeOf(line) == 0 then return 0 end`],
      [
        `k.leave(line, { claim })\n    return 1`,
        `k.leave(line, redis.call('ZRANGE', line, k.sizeOf(line), k.sizeOf(line)))\n    return 1`,
      ],
    ),
  },
  {
    name: 'Redis: the dead stay in line',
    caughtBy: 'liveness',
    family: withBug([`k.dropDead(line, ms)\n    local size`, `local size`]),
  },
  {
    name: 'Redis: whoever waits is told that it is in when it asks again',
    caughtBy: 'belief overlap',
    family: withBug([`local held = place and rank < admitted`, `local held = place`]),
  },
];

/** The script with some of its text replaced. */
function withBug(...changes: readonly (readonly [from: string, to: string])[]): Family {
  const scripts = loadScripts({ cluster: false });
  const text = changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`calls.lua has no ${from} any more: plant the bug elsewhere`);
    return text.replace(from, () => to);
  }, scripts.calls.text);
  return redisFamily({ ...scripts, calls: { text } });
}
