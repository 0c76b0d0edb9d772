import { loadScripts, type Verb } from '../../../lib/redis/redis.scripts.js';
import { type Family } from '../families/family.js';
import { redisFamily } from '../families/redis.family.js';
import { type PlantedBug } from './planted-bug.js';

/** In the scripts that Redis runs. */
export const redisBugs: readonly PlantedBug[] = [
  {
    name: 'Redis: a token that falls after a failover, for it counts from the last one only',
    caughtBy: 'fence monotonicity',
    byNoOther: true,
    family: withScript('attempt', [
      `math.max(time, (redis.call('GET', last) or 0) + 1)`,
      `(redis.call('GET', last) or 0) + 1`,
    ]),
  },
  {
    name: 'Redis: a renewal that does not look whether the lease has ended, and puts the claim in line again',
    caughtBy: 'belief overlap',
    family: withScript(
      'renew',
      [
        `if ends and tonumber(ends) > ms and redis.call('ZSCORE', k.line, id) then`,
        `if not redis.call('ZSCORE', k.line, id) then
          redis.call('ZADD', k.line, string.format('%.0f', now()), id)
          redis.call('HSET', k.claims, id, '1:' .. lease .. ':')
        end
        if true then`,
      ],
      [`math.max(ms + lease, tonumber(ends))`, `ms + lease`],
    ),
  },
  {
    name: 'Redis: a release that does not look whose claim it is',
    caughtBy: 'belief overlap',
    family: withScript(
      'withdraw',
      [
        `if not redis.call('ZSCORE', k.line, ARGV[1]) then return 0 end`,
        `if redis.call('ZCARD', k.line) == 0 then return 0 end`,
      ],
      [`leave(k, { ARGV[1] }, tell)`, `leave(k, redis.call('ZRANGE', k.line, 0, 0), tell)`],
    ),
  },
  {
    name: 'Redis: the dead stay in line',
    caughtBy: 'liveness',
    family: withScript('attempt', [`dropDead(k, ms, tell)\n  place`, `place`]),
  },
  {
    name: 'Redis: whoever waits is told that it is in when it asks again',
    caughtBy: 'belief overlap',
    family: withScript('attempt', [`local held = place and rank < admitted`, `local held = place`]),
  },
];

/** The script with some of its text replaced. */
function withScript(verb: Verb, ...changes: readonly (readonly [from: string, to: string])[]): Family {
  const scripts = loadScripts();
  const changed = changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${verb}.lua has no ${from} any more: plant the bug elsewhere`);
    return text.replace(from, () => to);
  }, scripts[verb]);
  return redisFamily({ ...scripts, [verb]: changed });
}
