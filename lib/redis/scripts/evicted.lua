-- Whether a claim that is no longer in line was taken out of it by somebody else.
--
-- KEYS[1] where it would say so
-- ARGV[1] forget it: 1 | 0
-- Reply: 1 | 0

local evicted = redis.call('GET', KEYS[1])
if evicted and ARGV[1] == '1' then redis.call('DEL', KEYS[1]) end
return evicted and 1 or 0
