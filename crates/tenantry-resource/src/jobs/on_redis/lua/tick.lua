-- Remembers a tick of a schedule, and adds its job: queue, tenant, schedule, tick, and the job if there is one. Answers with 1
-- if it is later than all before.

local queue, tenant, ticks, field = ARGV[1], ARGV[2], ticks_of(ARGV[2]), tick_field(ARGV[1], ARGV[3])
local known = redis.call('HGET', ticks, field)
if known and tonumber(ARGV[4]) <= tonumber(known) then
    return 0
end
redis.call('HSET', ticks, field, ARGV[4])
if ARGV[5] then
    local new = new_job(queue, tenant, 5)
    local is_held = new.unique and redis.call('HEXISTS', of_tenant('unique', tenant, queue), new.unique) == 1
    if not is_held and not job(new.id) then
        add(new)
    end
end
return 1
