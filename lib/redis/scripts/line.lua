-- What all verbs share. Each verb's script is this file followed by its own.
--
-- A key's line is two sorted sets of claim ids: `line` by place, `leases` by the end of the lease in milliseconds of the
-- server's clock; and the hash `claims`, with `<slots>:<lease in ms>:<node>:<owner>` of each: slots 0 for endless, the process
-- to tell when it comes in, and what that says of itself, any characters or none. Who holds is derived, never stored: whoever leaves needs no write to let others in, so a
-- server that is out of memory still hands locks over.
--
-- `tell` is how: { channel prefix, PUBLISH | SPUBLISH, 1 where a channel that nobody listens to is a process that is gone }.

local function slotsOf(claim)
  local slots = tonumber(string.match(claim or '', '^%d+') or 1)
  return slots == 0 and math.huge or slots
end

-- The rule of core/admission.ts: how many, counted from the front, are in; and the least slots among them.
local function holders(k)
  local rank, least, chunk = 0, math.huge, 2
  while true do
    local ids = redis.call('ZRANGE', k.line, rank, rank + chunk - 1)
    local claims = #ids > 0 and redis.call('HMGET', k.claims, unpack(ids)) or {}
    for i = 1, #ids do
      local slots = math.min(least, slotsOf(claims[i]))
      if rank >= slots then return rank, least end
      rank, least = rank + 1, slots
    end
    if #ids < chunk then return rank, least end
    chunk = 64
  end
end

local function remove(k, ids)
  redis.call('ZREM', k.line, unpack(ids))
  redis.call('ZREM', k.leases, unpack(ids))
  redis.call('HDEL', k.claims, unpack(ids))
end

-- Whether nobody listens to a process's channel. Asked before anything is said on it: what is said on a master is heard by
-- those who still listen to one that was master before, too, where they do not count.
local function deaf(tell, node)
  return tell[3] == '1' and redis.call('PUBSUB', 'NUMSUB', tell[1] .. node)[2] == 0
end

-- The first `kept` holders were in before. Tells those behind them who are in now, each on the channel of its process,
-- with all it needs to know. Where nobody listens to that channel, the process is gone: its claim is dropped, and the next
-- one gets the place.
local function tellAdmitted(k, kept, tell)
  local dropped, admitted = 0, holders(k)
  local waiting = redis.call('ZCARD', k.line) - admitted
  while kept < admitted do
    local told = redis.call('ZRANGE', k.line, kept, kept, 'WITHSCORES')
    local lease, node = string.match(redis.call('HGET', k.claims, told[1]) or '', '^%d+:(%d+):([^:]*)')
    if dropped < 64 and (not node or deaf(tell, node)) then
      remove(k, { told[1] })
      dropped = dropped + 1
      admitted = holders(k)
      waiting = redis.call('ZCARD', k.line) - admitted
    else
      if node then redis.call(tell[2], tell[1] .. node, string.format('%s %.0f %d %d', told[1], told[2], lease, waiting)) end
      kept = kept + 1
    end
  end
end

-- Takes the claims out of the line and tells those who come in by that.
local function leave(k, ids, tell)
  if redis.call('ZCARD', k.line) == #ids then return remove(k, ids) end
  local kept = holders(k)
  local held = 0
  for _, id in ipairs(ids) do
    if (redis.call('ZRANK', k.line, id) or kept) < kept then held = held + 1 end
  end
  remove(k, ids)
  tellAdmitted(k, kept - held, tell)
end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- A claim whose lease has ended is out of line, for anyone. Whoever touches a line first says so.
local function dropDead(k, ms, tell)
  while true do
    local dead = redis.call('ZRANGE', k.leases, '-inf', string.format('%.0f', ms), 'BYSCORE', 'LIMIT', 0, 100)
    if #dead == 0 then return end
    leave(k, dead, tell)
  end
end

-- Nothing outlives the last lease. PEXPIRE is the first write wherever a server that is out of memory must still be able
-- to write: it refuses a script whose first write may grow memory.
local function expireAfter(k, ms)
  local ttl = string.format('%.0f', math.max(ms, redis.call('PTTL', k.leases)))
  redis.call('PEXPIRE', k.line, ttl)
  redis.call('PEXPIRE', k.leases, ttl)
  redis.call('PEXPIRE', k.claims, ttl)
end

-- The three are written together, but evicted one by one. What is left tells neither who is in nor for how long: nobody is.
local function forgetIfMaimed(k)
  local count = redis.call('ZCARD', k.line)
  if redis.call('ZCARD', k.leases) == count and redis.call('HLEN', k.claims) == count then return end
  redis.call('DEL', k.line, k.leases, k.claims)
end
