import { messageOf } from "../base/errors.ts";
import type { Call } from "./call.ts";
import { Refusal } from "./reply.ts";

/** One row of the table. */
export interface Endpoint {
  /** ":name" stands for one segment, "/*" at the end for this path and everything below it. */
  readonly path: string;
  /** Empty for every method. GET includes HEAD. */
  readonly methods: readonly string[];
  /** One line for the index page. */
  readonly about: string;
  /** @returns undefined when the connection was upgraded. @throws Refusal (or rejects with one) */
  answer(call: Call): Response | undefined | Promise<Response | undefined>;
}

interface Row {
  readonly endpoint: Endpoint;
  readonly segments: readonly string[];
}

/** Matches in the order of the table; about thirty rows, so a linear search is enough. */
export class Router {
  readonly #rows: readonly Row[];

  constructor(endpoints: readonly Endpoint[]) {
    this.#rows = endpoints.map((endpoint) => ({ endpoint, segments: endpoint.path.split("/") }));
  }

  /** Never rejects. */
  async answer(call: Call): Promise<Response | undefined> {
    try {
      return await this.#dispatch(call);
    } catch (error) {
      if (error instanceof Refusal) return error.toResponse();
      return new Refusal(500, `Cannot answer: ${messageOf(error)}`).toResponse();
    }
  }

  #dispatch(call: Call): Response | undefined | Promise<Response | undefined> {
    const segments = call.path.split("/");
    for (const { endpoint, segments: pattern } of this.#rows) {
      const params = match(pattern, segments);
      if (params === undefined) continue;
      const allowed = allowedMethods(endpoint);
      if (allowed.length === 0 || allowed.includes(call.method)) {
        call.params = params;
        return endpoint.answer(call);
      }
      const allow = { Allow: [...allowed, "OPTIONS"].join(", ") };
      if (call.method === "OPTIONS") return new Response("", { headers: allow });
      throw new Refusal(405, `Cannot ${call.method} ${endpoint.path}: use ${allow.Allow}`, allow);
    }
    throw new Refusal(404, `Cannot find ${call.path}: GET / lists what there is`);
  }
}

function allowedMethods(endpoint: Endpoint): readonly string[] {
  return endpoint.methods.includes("GET") ? [...endpoint.methods, "HEAD"] : endpoint.methods;
}

/** @returns what stands for the names, or undefined when the path is another one */
function match(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const open = pattern.at(-1) === "*";
  const length = open ? pattern.length - 1 : pattern.length;
  if (open ? segments.length < length : segments.length !== length) return undefined;
  const params: Record<string, string> = {};
  for (let at = 0; at < length; at++) {
    const expected = pattern[at] as string;
    const actual = segments[at] as string;
    if (expected.startsWith(":") && actual !== "") params[expected.slice(1)] = actual;
    else if (expected !== actual) return undefined;
  }
  return params;
}
