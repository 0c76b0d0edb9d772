-- Restarts the leases of claims that are in, of one bucket, as many as are due together.
--
-- KEYS[3i-2] line of the i-th claim
-- KEYS[3i-1] its leases
-- KEYS[3i]   its claims
-- ARGV[2i-1] its id
-- ARGV[2i]   its lease, ms
-- Reply: for each 1 | 0, no longer in line

local ms = math.floor(now() / 1000)
local kept = {}
for i = 1, #KEYS / 3 do
  local k = { line = KEYS[3 * i - 2], leases = KEYS[3 * i - 1], claims = KEYS[3 * i] }
  local id, lease = ARGV[2 * i - 1], tonumber(ARGV[2 * i])
  local ends = redis.call('ZSCORE', k.leases, id)
  if ends and tonumber(ends) > ms and redis.call('ZSCORE', k.line, id) then
    expireAfter(k, lease)
    redis.call('ZADD', k.leases, string.format('%.0f', math.max(ms + lease, tonumber(ends))), id)
    kept[i] = 1
  else
    kept[i] = 0
  end
end
return kept
