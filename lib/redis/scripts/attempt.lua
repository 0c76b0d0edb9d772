-- Joins the line of a key, once, and tells where the claim stands. Restarts its lease.
-- A claim that is not in and shall not queue leaves again.
--
-- KEYS[1] line
-- KEYS[2] leases
-- KEYS[3] claims
-- KEYS[4] the last place that was given in this bucket
-- KEYS[5] the mark of evicted claims, for this one
-- ARGV[1] id
-- ARGV[2] lease once in, ms
-- ARGV[3] lease while waiting, ms
-- ARGV[4] queue: 1 | 0
-- ARGV[5] not after: server time in µs, or 0
-- ARGV[6] claim: slots:lease:node:owner
-- ARGV[7] tell: channel prefix
-- ARGV[8] tell: PUBLISH | SPUBLISH
-- ARGV[9] tell: 1 | 0
-- ARGV[10] asked before: 1 | 0
-- Reply: { server time in µs, 'late' }
--      | { server time in µs, 'in', place, waiting behind }
--      | { server time in µs, 'waiting', place, ahead, ms of the front's lease left, its lease in ms }
--      | { server time in µs, 'refused', ahead }
--      | { server time in µs, 'deaf' }, nobody listens to the node's channel
--      | { server time in µs, 'evicted' }

-- How much of the front's lease is left, and the lease. More than is ever given was given before the clock was set back,
-- and would keep the line of a dead holder for as long as that: a whole lease from now is all that a living one counts on.
local function front(k, ms)
  local id = redis.call('ZRANGE', k.line, 0, 0)[1]
  local lease = tonumber(string.match(redis.call('HGET', k.claims, id) or '', '^%d+:(%d+)') or ARGV[2])
  local left = (redis.call('ZSCORE', k.leases, id) or ms) - ms
  if left > 2 * lease then
    expireAfter(k, lease)
    redis.call('ZADD', k.leases, string.format('%.0f', ms + lease), id)
    left = lease
  end
  return left, lease
end

local k = { line = KEYS[1], leases = KEYS[2], claims = KEYS[3] }
local last, id, tell = KEYS[4], ARGV[1], { ARGV[7], ARGV[8], ARGV[9] }
local time = now()
local ms = math.floor(time / 1000)
local stamp = string.format('%.0f', time)

-- Whoever sent this has given it up by now, and may not hear the answer.
if ARGV[5] ~= '0' and time > tonumber(ARGV[5]) then return { stamp, 'late' } end

forgetIfMaimed(k)
-- What is so where there is no line, as for most keys.
local place, rank, admitted, least = false, 0, 0, math.huge
if redis.call('ZCARD', k.line) > 0 then
  dropDead(k, ms, tell)
  place = redis.call('ZSCORE', k.line, id)
  rank = place and redis.call('ZRANK', k.line, id) or redis.call('ZCARD', k.line)
  admitted, least = holders(k)
end
if not place and ARGV[10] == '1' and redis.call('GET', KEYS[5]) then return { stamp, 'evicted' } end
local held = place and rank < admitted
if not place then held = rank == admitted and rank < math.min(least, slotsOf(ARGV[6])) end

if not held and ARGV[4] == '0' then
  if place then leave(k, { id }, tell) end
  front(k, ms)
  return { stamp, 'refused', rank }
end

-- When its turn came it would be taken for dead.
if not held and deaf(tell, string.match(ARGV[6], '^%d+:%d+:([^:]*)')) then return { stamp, 'deaf' } end

local lease = tonumber(held and ARGV[2] or ARGV[3])
if place then
  expireAfter(k, lease)
else
  -- The clock of the server, unless it was set back: so places rise even where the last one is lost, as by a failover.
  place = string.format('%.0f', math.max(time, (redis.call('GET', last) or 0) + 1))
  redis.call('SET', last, place)
  redis.call('ZADD', k.line, place, id)
end
redis.call('ZADD', k.leases, string.format('%.0f', ms + lease), id)
redis.call('HSET', k.claims, id, ARGV[6])
expireAfter(k, lease)

if held then return { stamp, 'in', place, redis.call('ZCARD', k.line) - math.max(admitted, rank + 1) } end
local frontLeft, frontLease = front(k, ms)
return { stamp, 'waiting', place, rank, frontLeft, frontLease }
