-- The line of a key, front first.
--
-- KEYS[1] line
-- Reply: { how many hold, slots:lease:node:id, place, ms of lease left, … }

local k, line = inLine(), KEYS[1]
local time = redis.call('TIME')
local ms = time[1] * 1000 + math.floor(time[2] / 1000)
local size = k.sizeOf(line)
local entries = redis.call('ZRANGE', line, size, -1, 'WITHSCORES')
local report, rank, least, held = { 0 }, 0, math.huge, true
for i = 1, #entries, 2 do
  local left = -(redis.call('ZSCORE', line, '~' .. entries[i]) or 0) - ms
  if left > 0 then
    least = math.min(least, k.slotsOf(entries[i]))
    held = held and rank < least
    rank = rank + 1
    if held then report[1] = rank end
    report[#report + 1] = entries[i]
    report[#report + 1] = entries[i + 1]
    report[#report + 1] = left
  end
end
return report
