-- wrk … URL. Prints one JSON line with the latencies that the run has seen, times in µs.
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"p50":%d,"p99":%d,"p999":%d,"max":%d,"errors":%d}\n',
    summary.requests, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    latency.max, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
