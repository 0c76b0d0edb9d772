-- What the claims of one bucket ask for, as many as ask together, each as if it were alone.
--
-- KEYS[i] line of the i-th call
-- KEYS[#ARGV] the last place that was given in this bucket; only where somebody may join
-- KEYS[#ARGV+again] of each in turn that asks again: where it says that it was evicted
-- ARGV[1] not after: server time in µs that is too late to join, or 0
-- ARGV[i+1] what the i-th claim asks, and its name:
--   + joins the line, once, and asks where it stands. Restarts its lease
--   ? the same, but leaves again unless it is in
--   * as +, of one that has asked before, and says after the * at which place it was told to wait, @, in which reign, and a
--     space; or 0@. It does not join anew where it was evicted. It does where that was another reign: see `givesUp`
--   ! as ?, of one that has asked before, as with *
--   = restarts its lease, if it is in line at the place that it says after the =, and a space; leaves, if it is at another
--   - leaves, and lets in whoever may come in now
-- Reply: { server time in µs, for each call one of
--   place, of one that joined an empty line
--   { 'in', place, waiting behind }
--   { 'waiting', place, ahead, ms of the front's lease left, its lease in ms, reign }
--   { 'refused', ahead }
--   { 'late' }
--   { 'evicted' }
--   { 'deaf' }, nobody listens to the node's channel
--   1 | 0, no longer in line, to = and -
--   { 'failed', why }, what is wrong with its line alone, if there are several calls }

local time = redis.call('TIME')
time = time[1] * 1000000 + time[2]
local ms, notAfter, last = math.floor(time / 1000), tonumber(ARGV[1]), KEYS[#ARGV]

-- The clock of the server, unless it was set back: so places rise even where the last one is lost, as by a failover.
local function nextPlace()
  local before = tonumber(redis.call('SET', last, time, 'GET') or 0)
  if before < time then return time end
  redis.call('SET', last, before + 1)
  return before + 1
end

-- The verbs, where a claim may not be alone.
local function amongOthers()
  local k = inLine()

  -- How much of the front's lease is left, and the lease. More than is ever given was given before the clock was set back,
  -- and would keep the line of a dead holder for as long as that: a whole lease from now is all a living one counts on.
  local function front(line)
    local size = k.sizeOf(line)
    local claim = redis.call('ZRANGE', line, size, size)[1]
    if not claim then return 0, 0, '' end
    local lease = k.leaseOf(claim)
    local left = -(redis.call('ZSCORE', line, '~' .. claim) or -ms) - ms
    if left > 2 * lease then
      k.expireAfter(line, lease)
      redis.call('ZADD', line, -(ms + lease), '~' .. claim)
      left = lease
    end
    return left, lease, claim
  end

  -- What this server knows of a place from another reign may be older than what was granted since: that this claim was passed
  -- over, or a whole line. With such a place it could come in after somebody with a larger one, and its token would be worth
  -- nothing. So it takes a new one, once: a copy of the call that comes late, when it may be in already, finds a larger place.
  local function givesUp(place, known)
    local least, reign = string.match(known, '^(%d+)@(.*)$')
    return tonumber(place) <= tonumber(least) and reign ~= k.reign()
  end

  local function join(line, claim, queue, known, mark)
    -- Whoever sent this has given it up by now, and may not hear the answer.
    if notAfter > 0 and time > notAfter then return { 'late' } end
    k.dropDead(line, ms)
    local size = k.sizeOf(line)
    local place = redis.call('ZSCORE', line, claim)
    if mark and not place and redis.call('GET', mark) then return { 'evicted' } end
    if mark and place and givesUp(place, known) then
      k.leave(line, { claim })
      size, place = k.sizeOf(line), nil
    end
    local rank = place and redis.call('ZRANK', line, claim) - size or size
    local admitted, least = k.holders(line, size)
    local held = place and rank < admitted
    if not place then held = rank == admitted and rank < math.min(least, k.slotsOf(claim)) end

    if not held and not queue then
      if place then k.leave(line, { claim }) end
      local _, _, ahead = front(line)
      if rank == 1 then k.tellWanted(line, ahead) end
      return { 'refused', rank }
    end

    -- When its turn came it would be taken for dead.
    if not held and k.deaf(k.channelOf(line, string.match(claim, '^%d+:%d+:([^:]*):'))) then return { 'deaf' } end

    -- Waiting, it asks about once in a lease, and stays in line for half a lease longer than that.
    local lease = k.leaseOf(claim)
    if not held then lease = math.floor(lease * 1.6) end
    if place then
      k.expireAfter(line, lease)
    else
      place = nextPlace()
      size = size + 1
      redis.call('ZADD', line, place, claim)
    end
    redis.call('ZADD', line, -(ms + lease), '~' .. claim)
    k.expireAfter(line, lease)
    if held then return { 'in', tonumber(place), size - math.max(admitted, rank + 1) } end
    local frontLeft, frontLease, ahead = front(line)
    if rank == 1 then k.tellWanted(line, ahead) end
    return { 'waiting', tonumber(place), rank, frontLeft, frontLease, k.reign() }
  end

  -- How it is named in line: for whoever knows of a claim no more than its id, or of one that is gone.
  local function named(line, claim)
    if redis.call('ZSCORE', line, claim) then return claim end
    return k.byId(line, string.match(claim, '^%d+:%d+:[^:]*:([^ ]*)')) or claim
  end

  local function keep(line, asked, place)
    local claim = asked
    local ends = redis.call('ZSCORE', line, '~' .. claim)
    if not ends then
      claim = named(line, asked)
      ends = redis.call('ZSCORE', line, '~' .. claim)
    end
    ends = -(ends or 0)
    if ends <= ms then return 0 end
    -- A server that took over with an older line may know it where it waited before, and somebody else as the holder.
    if tonumber(redis.call('ZSCORE', line, claim)) ~= tonumber(place) then
      k.leave(line, { claim })
      return 0
    end
    local lease = k.leaseOf(claim)
    k.expireAfter(line, lease)
    redis.call('ZADD', line, -math.max(ms + lease, ends), '~' .. claim)
    return 1
  end

  local function withdraw(line, asked)
    k.dropDead(line, ms)
    local claim = named(line, asked)
    if not redis.call('ZSCORE', line, claim) then return 0 end
    k.leave(line, { claim })
    return 1
  end

  return { join = join, keep = keep, withdraw = withdraw }
end

local others
local function answer(line, call, mark)
  local verb, known, claim = string.sub(call, 1, 1), nil, string.sub(call, 2)
  if mark or verb == '=' then known, claim = string.match(claim, '^([^ ]*) (.*)$') end
  local joins = verb ~= '=' and verb ~= '-'
  local size = redis.call('ZCARD', line)
  -- What is so for most keys: nobody is in line, or this claim alone.
  if size == 0 and joins and not mark and (notAfter == 0 or time <= notAfter) then
    local place, lease = nextPlace(), string.match(claim, '^%d+:(%d+):')
    redis.call('ZADD', line, place, claim, -(ms + lease), '~' .. claim)
    redis.call('PEXPIRE', line, lease)
    return place
  end
  if size == 2 and verb == '-' then
    local ends = redis.call('ZSCORE', line, '~' .. claim)
    if ends and -ends > ms then
      redis.call('DEL', line)
      return 1
    end
  end
  others = others or amongOthers()
  if joins then return others.join(line, claim, verb == '+' or verb == '*', known, mark) end
  if verb == '=' then return others.keep(line, claim, known) end
  return others.withdraw(line, claim)
end

local reply, again = { time }, 0
for i = 1, #ARGV - 1 do
  local done, result, call, mark = true, nil, ARGV[i + 1], nil
  local verb = string.sub(call, 1, 1)
  if verb == '*' or verb == '!' then
    again = again + 1
    mark = KEYS[#ARGV + again]
  end
  if #ARGV == 2 then result = answer(KEYS[i], call, mark) else done, result = pcall(answer, KEYS[i], call, mark) end
  if not done then
    local why = type(result) == 'table' and result.err or result
    -- What is wrong with the server is wrong for all, and its client has to see it.
    if not string.match(why, 'OOM') and not string.match(why, 'WRONGTYPE') then return redis.error_reply(why) end
    result = { 'failed', why }
  end
  reply[i + 1] = result
end
return reply
