import { LIMITS } from "../../base/limits.ts";
import type { Call } from "../call.ts";
import { decimal, integer } from "../numbers.ts";
import { pause } from "../pause.ts";
import { json, streamed } from "../reply.ts";
import type { Endpoint } from "../router.ts";
import { requestShape } from "./inspect.ts";

/** Endpoints that take their time, or send piece by piece. */
export const TIMED: readonly Endpoint[] = [
  { path: "/delay/:seconds", methods: [], about: "answers later, 10 s at most", answer: delay },
  { path: "/drip", methods: ["GET"], about: "?numbytes=&duration=&delay=&code=", answer: drip },
  { path: "/stream/:n", methods: ["GET"], about: "n lines of JSON", answer: streamLines },
  {
    path: "/sse",
    methods: ["GET"],
    about: "server-sent events (?count=&interval_ms=)",
    answer: sse,
  },
];

async function delay(call: Call): Promise<Response> {
  const range = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const seconds = decimal("seconds", call.params["seconds"] ?? "", range);
  const shape = await requestShape(call);
  await pause(Math.min(seconds * 1000, LIMITS.httpbinDelayMsMax), call.request.signal);
  return json(shape);
}

/** Spreads the bytes evenly over the duration; the clock decides how many are due at a time. */
async function drip(call: Call): Promise<Response> {
  const length = integer("numbytes", argument(call, "numbytes", "10"), {
    min: 1,
    max: LIMITS.httpbinBytesMax,
  });
  const seconds = { min: 0, max: LIMITS.httpbinDurationMsMax / 1000 };
  const durationMs = 1000 * decimal("duration", argument(call, "duration", "2"), seconds);
  const delayMs = 1000 * decimal("delay", argument(call, "delay", "2"), seconds);
  const status = integer("code", argument(call, "code", "200"), { min: 200, max: 599 });
  const { signal } = call.request;

  await pause(Math.min(delayMs, LIMITS.httpbinDelayMsMax), signal);
  const startedAt = performance.now();
  let sent = 0;
  const pull = async () => {
    if (sent === length || signal.aborted) return undefined;
    // The first byte leaves at once, the last one when the duration is over.
    const stepMs = durationMs / Math.max(length - 1, 1);
    await pause(startedAt + sent * stepMs - performance.now(), signal);
    const elapsedMs = performance.now() - startedAt;
    const due = stepMs === 0 ? length : Math.floor(elapsedMs / stepMs) + 1;
    const count = Math.max(1, Math.min(due, length) - sent);
    sent += count;
    return new Uint8Array(count).fill(ASTERISK);
  };
  return streamed(pull, { status });
}

function streamLines(call: Call): Response {
  const count = integer("number of lines", call.params["n"] ?? "", {
    min: 0,
    max: LIMITS.httpbinStreamCountMax,
  });
  const shape = { url: call.url, args: call.args, headers: call.headers, origin: call.origin };
  let id = 0;
  const pull = () => {
    if (id === count) return undefined;
    return Buffer.from(`${JSON.stringify({ ...shape, id: id++ })}\n`);
  };
  return streamed(pull, { headers: { "Content-Type": "application/json" } });
}

function sse(call: Call): Response {
  const counts = { min: 1, max: LIMITS.httpbinStreamCountMax };
  const intervals = { min: 0, max: LIMITS.httpbinDurationMsMax };
  const count = integer("count", argument(call, "count", "10"), counts);
  const intervalMs = integer("interval_ms", argument(call, "interval_ms", "500"), intervals);
  const { signal } = call.request;
  let id = 0;
  const pull = async () => {
    if (id > 0 && id < count) await pause(intervalMs, signal);
    if (id === count || signal.aborted) return undefined;
    const data = JSON.stringify({ id, timestamp: Date.now() });
    return Buffer.from(`id: ${id++}\nevent: ping\ndata: ${data}\n\n`);
  };
  return streamed(pull, {
    headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache" },
  });
}

const ASTERISK = 0x2a;

function argument(call: Call, name: string, byDefault: string): string {
  return call.query.get(name) ?? byDefault;
}
