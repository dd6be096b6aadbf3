import type { Server } from "bun";
import { sorted } from "./reply.ts";

/** A value of a query or form: a list when its name came more than once. */
export type Values = Record<string, string | string[]>;

/** One request as the endpoints see it. */
export class Call {
  readonly request: Request;
  readonly server: Server<undefined>;
  /** Normalised by the server: no dot segments. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What stands for the ":names" of the endpoint's path. */
  params: Readonly<Record<string, string>> = {};
  readonly #search: string;

  constructor(request: Request, server: Server<undefined>) {
    this.request = request;
    this.server = server;
    // Without a usable Host line the server hands on a bare path: any base will do then.
    const url = new URL(request.url, "http://localhost");
    this.path = url.pathname;
    this.query = url.searchParams;
    this.#search = url.search;
  }

  get method(): string {
    return this.request.method;
  }

  /** "http://host" as the client knows it: a gateway in between says so in X-Forwarded-Proto. */
  get baseUrl(): string {
    const scheme = this.request.headers.get("x-forwarded-proto") ?? "http";
    return `${scheme}://${this.request.headers.get("host") ?? ""}`;
  }

  get url(): string {
    return this.baseUrl + this.path + this.#search;
  }

  /** The X-Forwarded-For line, or else the peer; "unix" for one that has no address. */
  get origin(): string {
    const forwarded = this.request.headers.get("x-forwarded-for");
    return forwarded ?? this.server.requestIP(this.request)?.address ?? "unix";
  }

  get args(): Values {
    return valuesOf(this.query);
  }

  /** Title-Cased and sorted, nothing hidden: what a gateway adds is what one wants to see. */
  get headers(): Record<string, string> {
    const lines = [...this.request.headers].map(([name, value]) => [titleCase(name), value]);
    return sorted(Object.fromEntries(lines) as Record<string, string>);
  }
}

/** @param pairs in any order; the names come out sorted, the values of one name in their order */
export function valuesOf(pairs: Iterable<readonly [name: string, value: string]>): Values {
  const grouped = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = grouped.get(name);
    if (values === undefined) grouped.set(name, [value]);
    else values.push(value);
  }
  return sorted(Object.fromEntries([...grouped].map(([name, values]) => [name, single(values)])));
}

function single(values: string[]): string | string[] {
  return values.length === 1 ? (values[0] as string) : values;
}

/** "x-wasm-added" becomes "X-Wasm-Added". */
function titleCase(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
