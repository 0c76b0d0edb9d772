-- The line of a key, front first.
--
-- KEYS[1] line
-- KEYS[2] leases
-- KEYS[3] claims
-- Reply: { how many hold, id, place, ms of lease left, slots:lease:node:owner, id, … }

local line, leases, claims = KEYS[1], KEYS[2], KEYS[3]
local ms = math.floor(now() / 1000)
local entries = redis.call('ZRANGE', line, 0, -1, 'WITHSCORES')
local report, rank, least, held = { 0 }, 0, math.huge, true
for i = 1, #entries, 2 do
  local left = (redis.call('ZSCORE', leases, entries[i]) or ms) - ms
  if left > 0 then
    local claim = redis.call('HGET', claims, entries[i]) or ''
    least = math.min(least, slotsOf(claim))
    held = held and rank < least
    rank = rank + 1
    if held then report[1] = rank end
    report[#report + 1] = entries[i]
    report[#report + 1] = entries[i + 1]
    report[#report + 1] = left
    report[#report + 1] = claim
  end
end
return report
