-- Takes a claim out of the line of a key, whosever it is, lets in whoever may come in now, and has its owner look. It is
-- remembered for as long as the lease could have lasted, so that the claim does not join anew.
--
-- KEYS[1] line
-- KEYS[2] leases
-- KEYS[3] claims
-- KEYS[4] the mark of evicted claims, for this one
-- ARGV[1] id
-- ARGV[2] tell: channel prefix
-- ARGV[3] tell: PUBLISH | SPUBLISH
-- ARGV[4] tell: 1 | 0
-- Reply: 1 | 0, not in line

local k, id = { line = KEYS[1], leases = KEYS[2], claims = KEYS[3] }, ARGV[1]
local tell = { ARGV[2], ARGV[3], ARGV[4] }
local ms = math.floor(now() / 1000)
dropDead(k, ms, tell)
if not redis.call('ZSCORE', k.line, id) then return 0 end
local left = math.max(1, (redis.call('ZSCORE', k.leases, id) or ms) - ms)
local node = string.match(redis.call('HGET', k.claims, id) or '', '^%d+:%d+:([^:]*)')
expireAfter(k, left)
redis.call('SET', KEYS[4], '1')
redis.call('PEXPIRE', KEYS[4], string.format('%.0f', left))
leave(k, { id }, tell)
if node then redis.call(tell[2], tell[1] .. node, id) end
return 1
