import type { Call } from "../call.ts";
import { integer } from "../numbers.ts";
import { json, jsonText, Refusal, sorted } from "../reply.ts";
import type { Endpoint } from "../router.ts";
import { LIMITS } from "../../base/limits.ts";

/** Endpoints whose status or headers the client chooses. */
export const ANSWERS: readonly Endpoint[] = [
  {
    path: "/status/:codes",
    methods: [],
    about: "that status; of a list, one by chance",
    answer: status,
  },
  {
    path: "/redirect/:n",
    methods: ["GET"],
    about: "n redirects (?absolute=true)",
    answer: redirect,
  },
  {
    path: "/relative-redirect/:n",
    methods: ["GET"],
    about: "n redirects to paths",
    answer: relative,
  },
  {
    path: "/absolute-redirect/:n",
    methods: ["GET"],
    about: "n redirects to URLs",
    answer: absolute,
  },
  {
    path: "/response-headers",
    methods: ["GET", "POST"],
    about: "?name=value",
    answer: responseHeaders,
  },
  { path: "/cookies", methods: ["GET"], about: "cookies of the request", answer: cookies },
  { path: "/cookies/set", methods: ["GET"], about: "?name=value", answer: setCookies },
];

/** Some statuses mean nothing without a header. */
const COMPANIONS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  301: { Location: "/redirect/1" },
  302: { Location: "/redirect/1" },
  303: { Location: "/redirect/1" },
  305: { Location: "/redirect/1" },
  307: { Location: "/redirect/1" },
  308: { Location: "/redirect/1" },
  401: { "WWW-Authenticate": 'Basic realm="httpbin"' },
  407: { "Proxy-Authenticate": 'Basic realm="httpbin"' },
};

function status(call: Call): Response {
  const code = pick(call.params["codes"] ?? "");
  return new Response(code === 204 || code === 304 ? null : "", {
    status: code,
    headers: { "Content-Type": "text/html; charset=utf-8", ...COMPANIONS[code] },
  });
}

/** "404", "200,404" or "200:3,404:1" (weights). */
function pick(codes: string): number {
  const weighted = codes.split(",").map((item) => {
    const [code = "", weight = "1"] = item.split(":");
    const range = { min: 200, max: 599 };
    return {
      code: integer("status", code, range),
      weight: integer("weight", weight, { min: 0, max: 1_000_000 }),
    };
  });
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  let drawn = Math.random() * total;
  for (const { code, weight } of weighted) {
    if (drawn < weight) return code;
    drawn -= weight;
  }
  throw new Refusal(400, `Cannot pick one of the statuses ${codes}: all weights are 0`);
}

function redirect(call: Call): Response {
  return call.query.get("absolute")?.toLowerCase() === "true" ? absolute(call) : relative(call);
}

function relative(call: Call): Response {
  return redirectTo(nextRedirect(call, "relative-redirect"));
}

function absolute(call: Call): Response {
  return redirectTo(call.baseUrl + nextRedirect(call, "absolute-redirect"));
}

function nextRedirect(call: Call, kind: string): string {
  const range = { min: 1, max: LIMITS.httpbinRedirectsMax };
  const left = integer("number of redirects", call.params["n"] ?? "", range) - 1;
  return left === 0 ? "/get" : `/${kind}/${left}`;
}

function redirectTo(location: string, headers = new Headers()): Response {
  headers.set("Location", location);
  headers.set("Content-Type", "text/html; charset=utf-8");
  return new Response("", { status: 302, headers });
}

/** Headers as asked for; the body repeats them, its own length included. */
function responseHeaders(call: Call): Response {
  const headers = new Headers({ "Content-Type": "application/json" });
  for (const [name, value] of call.query) {
    if (/^(content-length|transfer-encoding|connection)$/i.test(name)) {
      throw new Refusal(400, `Cannot set ${name}: it frames this answer`);
    }
    addHeader(headers, name, value);
  }
  const shown = { "Content-Type": "application/json", ...call.args };
  return new Response(textWithItsLength(shown), { headers });
}

function addHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch {
    throw new Refusal(400, `Cannot set the header ${JSON.stringify(name)}: not a valid line`);
  }
}

/** Grows the number until the text that holds it is as long as it says. */
function textWithItsLength(shape: Readonly<Record<string, unknown>>): string {
  let length = 0;
  for (;;) {
    const text = jsonText({ ...shape, "Content-Length": String(length) });
    const actual = Buffer.byteLength(text);
    if (actual === length) return text;
    length = actual;
  }
}

function cookies(call: Call): Response {
  const jar = new Bun.CookieMap(call.request.headers.get("cookie") ?? "");
  return json({ cookies: sorted(Object.fromEntries(jar)) });
}

function setCookies(call: Call): Response {
  const headers = new Headers();
  for (const [name, value] of call.query) {
    if (
      !/^[\w!#$%&'*+.^`|~-]+$/.test(name) ||
      !/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value)
    ) {
      throw new Refusal(400, `Cannot set the cookie ${JSON.stringify(name)}: not a valid pair`);
    }
    headers.append("Set-Cookie", `${name}=${value}; Path=/`);
  }
  return redirectTo("/cookies", headers);
}
