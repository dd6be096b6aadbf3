import { bodyShape } from "../body.ts";
import { json, jsonText } from "../reply.ts";
import type { Call } from "../call.ts";
import type { Endpoint } from "../router.ts";

/** Endpoints that tell the client what it has sent. */
export const INSPECT: readonly Endpoint[] = [
  { path: "/headers", methods: ["GET"], about: "request headers", answer: headers },
  { path: "/ip", methods: ["GET"], about: "address of the client", answer: ip },
  { path: "/user-agent", methods: ["GET"], about: "User-Agent of the client", answer: userAgent },
  { path: "/get", methods: ["GET"], about: "arguments and headers", answer: get },
  { path: "/post", methods: ["POST"], about: "arguments, headers and body", answer: withBody },
  { path: "/put", methods: ["PUT"], about: "the same", answer: withBody },
  { path: "/patch", methods: ["PATCH"], about: "the same", answer: withBody },
  { path: "/delete", methods: ["DELETE"], about: "the same", answer: withBody },
  { path: "/anything/*", methods: [], about: "everything, for any method", answer: anything },
  { path: "/gzip", methods: ["GET"], about: "arguments and headers, gzipped", answer: gzip },
];

function headers(call: Call): Response {
  return json({ headers: call.headers });
}

function ip(call: Call): Response {
  return json({ origin: call.origin });
}

function userAgent(call: Call): Response {
  return json({ "user-agent": call.request.headers.get("user-agent") });
}

function get(call: Call): Response {
  return json({ args: call.args, headers: call.headers, origin: call.origin, url: call.url });
}

async function withBody(call: Call): Promise<Response> {
  return json(await requestShape(call));
}

async function anything(call: Call): Promise<Response> {
  return json({ ...(await requestShape(call)), method: call.method });
}

/** Args, body, headers, origin and url: httpbin's largest answer. */
export async function requestShape(call: Call): Promise<Record<string, unknown>> {
  return {
    args: call.args,
    ...(await bodyShape(call.request)),
    headers: call.headers,
    origin: call.origin,
    url: call.url,
  };
}

function gzip(call: Call): Response {
  const shape = { gzipped: true, headers: call.headers, method: call.method, origin: call.origin };
  return new Response(Bun.gzipSync(jsonText(shape)), {
    headers: { "Content-Type": "application/json", "Content-Encoding": "gzip" },
  });
}
