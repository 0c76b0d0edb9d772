-- Leaves the line of a key, held or waiting, and lets in whoever may come in now.
--
-- KEYS[1] line
-- KEYS[2] leases
-- KEYS[3] claims
-- KEYS[4] the mark of evicted claims, for this one
-- ARGV[1] id
-- ARGV[2] tell: channel prefix
-- ARGV[3] tell: PUBLISH | SPUBLISH
-- ARGV[4] tell: 1 | 0
-- Reply: 1 | 0, no longer in line

local k = { line = KEYS[1], leases = KEYS[2], claims = KEYS[3] }
local tell = { ARGV[2], ARGV[3], ARGV[4] }
dropDead(k, math.floor(now() / 1000), tell)
if not redis.call('ZSCORE', k.line, ARGV[1]) then
  redis.call('DEL', KEYS[4])
  return 0
end
leave(k, { ARGV[1] }, tell)
return 1
