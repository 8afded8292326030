-- How many jobs a tenant has, by queue: tenant.

local answer = {}
for at, queue in ipairs(redis.call('SMEMBERS', queues_of(ARGV[1]))) do
    answer[at] = { queue, counts(ARGV[1], queue) }
end
return answer
