-- Adds jobs: queue, tenant, how many the tenant may have, then each job. Answers with how many are there, or -1 if they are too
-- many.
--
-- A job whose id is there, or was there a moment ago, was added by the same call, whose answer was lost: it is not added again,
-- and counted as it was then.

local queue, tenant, max = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- Whether it was added before; nothing when the id is somebody else's.
local function is_there(id)
    local found = job(id)
    if found then
        return found.tenant == tenant and found.queue == queue or nil
    end
    return redis.call('GET', of_done(id)) == of_whom(tenant, queue)
end

local added, fresh, ids, keys = 0, {}, {}, {}
for at = 4, #ARGV, NEW do
    local new = new_job(queue, tenant, at)
    local was_added = is_there(new.id)
    if was_added then
        added = added + 1
    elseif was_added == false and not ids[new.id] then
        local is_held = new.unique
            and (keys[new.unique] or redis.call('HEXISTS', of_tenant('unique', tenant, queue), new.unique) == 1)
        if not is_held then
            ids[new.id] = true
            if new.unique then
                keys[new.unique] = true
            end
            fresh[#fresh + 1] = new
        end
    end
end
local later, ready, running, dead = counts(tenant, queue)
if #fresh > 0 and later + ready + running + dead + #fresh > max then
    return -1
end
for _, new in ipairs(fresh) do
    add(new)
end
return added + #fresh
