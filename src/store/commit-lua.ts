/**
 * Writes everything that one job did to one service, or nothing.
 *
 * The version is a fence: it grows with every commit, and a writer that loaded an older one has lost the service to somebody else
 * (its process was paused, its job was given away). It is refused, and must load again.
 *
 *   KEYS[1] the service (hash)          KEYS[4] events of the partition (stream)
 *   KEYS[2] its history (list)          KEYS[5] dead letters of the partition (stream)
 *   KEYS[3] list of services (hash)     KEYS[6] its feedback ids (sorted set)
 *   KEYS[7] its verdicts (list)             KEYS[8] its incidents (hash)
 *   KEYS[9] their times (sorted set)        KEYS[10] times of all incidents of the partition (sorted set)
 *   KEYS[11] open incidents of the partition (set)
 *   KEYS[12] its loads (ring of bytes)
 *
 *   ARGV[1] version that was loaded, 0 for a new service
 *   ARGV[2] name of the service
 *   ARGV[3] summary of the service as JSON, or '' to keep the old one
 *   ARGV[4], [5], [6], [7], [8] most decisions, events, dead letters, feedback ids, incidents that are kept
 *   then seven lists, each its number of entries first:
 *     fields of the service (name, value), decisions (JSON, oldest first), events (JSON),
 *     dead letters (kind, reason, JSON), feedback ids (time, id), verdicts (JSON, oldest first; as many are kept as decisions),
 *     incidents (id, time, 'open' or 'closed', JSON),
 *     then 1 if the loads begin anew, and a list of what is written into them (offset, bytes)
 *
 * Returns the new version, or 0 for a refused writer. Redis keeps what a failing script wrote before it failed; nothing after the
 * version check can fail but for want of memory, and then Redis refuses the script as a whole.
 */
export const commitLua = `
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[1]) then return 0 end

local service, summary = ARGV[2], ARGV[3]
local at = 8
local function take ()
  at = at + 1
  return ARGV[at]
end

version = version + 1
redis.call('HSET', KEYS[1], 'version', version)
for _ = 1, tonumber(take()) do
  local name = take()
  redis.call('HSET', KEYS[1], name, take())
end

local decisions = tonumber(take())
for _ = 1, decisions do redis.call('LPUSH', KEYS[2], take()) end
if decisions > 0 then redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[4]) - 1) end

for _ = 1, tonumber(take()) do
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], '*', 'service', service, 'event', take())
end

for _ = 1, tonumber(take()) do
  local kind, reason = take(), take()
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[6], '*', 'service', service, 'kind', kind, 'reason', reason, 'payload', take())
end

local ids = tonumber(take())
for _ = 1, ids do
  local time = take()
  redis.call('ZADD', KEYS[6], time, take())
end
if ids > 0 then redis.call('ZREMRANGEBYRANK', KEYS[6], 0, -1 - tonumber(ARGV[7])) end

local verdicts = tonumber(take())
for _ = 1, verdicts do redis.call('LPUSH', KEYS[7], take()) end
if verdicts > 0 then redis.call('LTRIM', KEYS[7], 0, tonumber(ARGV[4]) - 1) end

local incidents = tonumber(take())
for _ = 1, incidents do
  local id, time, state = take(), take(), take()
  redis.call('HSET', KEYS[8], id, take())
  redis.call('ZADD', KEYS[9], time, id)
  redis.call('ZADD', KEYS[10], time, id)
  redis.call(state == 'open' and 'SADD' or 'SREM', KEYS[11], id)
end
if incidents > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[9], 0, -1 - tonumber(ARGV[8]))) do
    redis.call('HDEL', KEYS[8], id)
    redis.call('ZREM', KEYS[9], id)
    redis.call('ZREM', KEYS[10], id)
    redis.call('SREM', KEYS[11], id)
  end
end

if take() == '1' then redis.call('DEL', KEYS[12]) end
for _ = 1, tonumber(take()) do
  local offset = take()
  redis.call('SETRANGE', KEYS[12], offset, take())
end

if summary ~= '' then redis.call('HSET', KEYS[3], service, summary) end
return version
`
