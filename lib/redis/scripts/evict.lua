-- Takes a claim out of the line of a key, whosever it is, lets in whoever may come in now, and has its owner look. That it
-- was is remembered for as long as its lease could have lasted, so that it does not join anew.
--
-- KEYS[1] line
-- KEYS[2] where it says that the claim was evicted
-- ARGV[1] id
-- Reply: 1 | 0, not in line

local k, line = inLine(), KEYS[1]
local time = redis.call('TIME')
local ms = time[1] * 1000 + math.floor(time[2] / 1000)
k.dropDead(line, ms)
local claim = k.byId(line, ARGV[1])
if not claim then return 0 end
local left = math.max(1, -redis.call('ZSCORE', line, '~' .. claim) - ms)
k.expireAfter(line, left)
redis.call('SET', KEYS[2], 1)
redis.call('PEXPIRE', KEYS[2], left)
k.leave(line, { claim })
k.say(k.channelOf(line, string.match(claim, '^%d+:%d+:([^:]*):')), ARGV[1])
return 1
