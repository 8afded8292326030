-- Takes no jobs of a tenant for a while: queue, tenant, how long.

local queue, tenant = ARGV[1], ARGV[2]
local start = redis.call('HGET', of_queue('starts', queue), tenant)
if start then
    needs_no_room()
    redis.call('ZADD', of_queue('parked', queue), now() + tonumber(ARGV[3]), tenant)
    settle(queue, tenant, tonumber(start))
end
