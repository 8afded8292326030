-- The last tick of a schedule that was remembered: queue, tenant, schedule.

return redis.call('HGET', ticks_of(ARGV[2]), tick_field(ARGV[1], ARGV[3]))
