-- Whether a claim that is no longer in line was taken out of it by somebody else.
--
-- KEYS[1] the mark of evicted claims, for this one
-- Reply: 1 | 0

return redis.call('GET', KEYS[1]) and 1 or 0
