-- wrk … URL -- BODY_BYTES ITEMS: 0 bytes are a GET; with items, requests go to /item0/ to the last
-- one in an order that jumps. Prints one JSON line with what the run has seen, times in µs.
local KEPT = 1024

init = function(args)
  local bytes, items = tonumber(args[1]), tonumber(args[2])
  if bytes > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("x", bytes)
  end
  if items > 0 then
    local requests, n = {}, 0
    for i = 1, KEPT do requests[i] = wrk.format(nil, "/item" .. (i * 7919) % items .. "/") end
    request = function()
      n = n % KEPT + 1
      return requests[n]
    end
  end
end

done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"p999":%d,"errors":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50),
    latency:percentile(99), latency:percentile(99.9),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
