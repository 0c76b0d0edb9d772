-- The line of a key is one sorted set, in which each claim stands twice: as `<claim>` by its place, and as `~<claim>` by
-- the end of its lease, in ms of the server's clock and below zero, so that no clock can mix the two. A claim is named
-- `<slots>:<lease in ms>:<node>:<id> <owner>`: slots 0 for endless, 01 for one that yields when it is wanted; the process to tell when it comes in; and what that says
-- of itself, which may be nothing, then without the space. Who holds is derived, never stored: whoever leaves needs no write
-- to let others in, so a server that is out of memory still hands locks over.
--
-- The body of a function, `inLine`, that stands before each script: to make these functions takes longer than what is
-- asked where nobody else is in line (14 µs a call, against 4 µs).
--
-- CLUSTER is put before all: whether the server is a node of one. There, a count of receivers says nothing certain.

local function slotsOf(claim)
  local slots = tonumber(string.match(claim, '^%d+') or 1)
  return slots == 0 and math.huge or slots
end

local function leaseOf(claim)
  return tonumber(string.match(claim, '^%d+:(%d+):') or 0)
end

local function sizeOf(line)
  return redis.call('ZCARD', line) / 2
end

-- The rule of core/admission.ts: how many of `size`, counted from the front, are in; and the least slots among them.
local function holders(line, size)
  local rank, least, chunk = 0, math.huge, 2
  while true do
    local claims = redis.call('ZRANGE', line, size + rank, size + rank + chunk - 1)
    for i = 1, #claims do
      local slots = math.min(least, slotsOf(claims[i]))
      if rank >= slots then return rank, least end
      rank, least = rank + 1, slots
    end
    if #claims < chunk then return rank, least end
    chunk = 64
  end
end

local function remove(line, claims)
  local leases = {}
  for i = 1, #claims do leases[i] = '~' .. claims[i] end
  redis.call('ZREM', line, unpack(leases))
  redis.call('ZREM', line, unpack(claims))
end

local function channelOf(line, node)
  return string.match(line, '^(.-}:)line:') .. 'wake:' .. node
end

-- Which server gives the places: another one since a replica was promoted, or a master began anew, with what it had or with
-- nothing. Costs 2.4 µs, once a script.
local reigning
local function reign()
  reigning = reigning or string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
  return reigning
end

local function say(channel, news)
  redis.call(CLUSTER and 'SPUBLISH' or 'PUBLISH', channel, news)
end

-- Somebody stands right behind the front: if that yields, its process hears so, as it hears of one that comes in.
local function tellWanted(line, front)
  local lease, node, id = string.match(front, '^01:(%d+):([^:]*):([^ ]*)')
  if not id then return end
  say(channelOf(line, node), string.format('%s %.0f %d 1 %s', id, redis.call('ZSCORE', line, front), lease, reign()))
end

-- Whether nobody listens to a process's channel. Asked before anything is said on it: what is said on a master is heard by
-- those who still listen to one that was master before, too, where they do not count.
local function deaf(channel)
  return not CLUSTER and redis.call('PUBSUB', 'NUMSUB', channel)[2] == 0
end

-- The first `kept` holders were in before. Tells those behind them who are in now, each on the channel of its process,
-- with all it needs to know. Where nobody listens to that channel, the process is gone: its claim is dropped, and the next
-- one gets the place.
local function tellAdmitted(line, kept)
  local size = sizeOf(line)
  local dropped, admitted = 0, holders(line, size)
  while kept < admitted do
    local told = redis.call('ZRANGE', line, size + kept, size + kept, 'WITHSCORES')
    local lease, node, id = string.match(told[1], '^%d+:(%d+):([^:]*):([^ ]*)')
    local channel = node and channelOf(line, node)
    if dropped < 64 and (not node or deaf(channel)) then
      remove(line, { told[1] })
      dropped = dropped + 1
      size = size - 1
      admitted = holders(line, size)
    else
      if node then
        local news = string.format('%s %.0f %d %d %s', id, told[2], lease, size - admitted, reign())
        say(channel, news)
      end
      kept = kept + 1
    end
  end
end

-- Takes the claims out of the line and tells those who come in by that.
local function leave(line, claims)
  local size = sizeOf(line)
  if size == #claims then
    redis.call('DEL', line)
    return
  end
  local kept = holders(line, size)
  local held = 0
  for _, claim in ipairs(claims) do
    if redis.call('ZRANK', line, claim) - size < kept then held = held + 1 end
  end
  remove(line, claims)
  tellAdmitted(line, kept - held)
end

-- A claim whose lease has ended is out of line, for anyone. Whoever touches a line first says so.
local function dropDead(line, ms)
  while true do
    local dead = redis.call('ZRANGE', line, -ms, 0, 'BYSCORE', 'LIMIT', 0, 100)
    if #dead == 0 then return end
    for i = 1, #dead do dead[i] = string.sub(dead[i], 2) end
    leave(line, dead)
  end
end

-- How a claim is named in line of which no more is known than its id.
local function byId(line, id)
  local from = sizeOf(line)
  while true do
    local found = redis.call('ZRANGE', line, from, from + 99)
    for i = 1, #found do
      if string.match(found[i], '^%d+:%d+:[^:]*:([^ ]*)') == id then return found[i] end
    end
    if #found < 100 then return nil end
    from = from + 100
  end
end

-- Nothing outlives the last lease. PEXPIRE is the first write wherever a server that is out of memory must still be able
-- to write: it refuses a script whose first write may grow memory.
local function expireAfter(line, ms)
  redis.call('PEXPIRE', line, math.max(ms, redis.call('PTTL', line)))
end

return {
  slotsOf = slotsOf,
  leaseOf = leaseOf,
  sizeOf = sizeOf,
  holders = holders,
  channelOf = channelOf,
  deaf = deaf,
  reign = reign,
  leave = leave,
  say = say,
  tellWanted = tellWanted,
  byId = byId,
  dropDead = dropDead,
  expireAfter = expireAfter,
}
