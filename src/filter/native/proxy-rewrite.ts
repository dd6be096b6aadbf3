import { CALLBACK, type FilterHost, type HttpFilter, type Plugin } from "../filter.ts";

/**
 * The gateway's own filter `proxy-rewrite` (APISIX's words): changes the request before it is sent
 * to the upstream. The configuration has been checked against its schema.
 */
export interface ProxyRewriteOptions {
  /** New path; the query stays. */
  readonly uri?: string;
  /** Pattern and replacement ($1 …) for the path; the query stays. `uri` wins over it. */
  readonly regex_uri?: readonly [pattern: string, replacement: string];
  readonly host?: string;
  readonly method?: string;
  readonly headers?: {
    readonly set?: Readonly<Record<string, string>>;
    readonly add?: Readonly<Record<string, string>>;
    readonly remove?: readonly string[];
  };
}

export function proxyRewrite(options: ProxyRewriteOptions): Plugin {
  const pattern = options.regex_uri === undefined ? undefined : new RegExp(options.regex_uri[0]);
  return {
    name: "proxy-rewrite",
    callbacks: CALLBACK.requestHeaders,
    failOpen: false,
    createFilter: (host) => new ProxyRewrite(host, options, pattern),
    close: () => {},
  };
}

class ProxyRewrite implements HttpFilter {
  readonly #host: FilterHost;
  readonly #options: ProxyRewriteOptions;
  readonly #pattern: RegExp | undefined;

  constructor(host: FilterHost, options: ProxyRewriteOptions, pattern: RegExp | undefined) {
    this.#host = host;
    this.#options = options;
    this.#pattern = pattern;
  }

  onRequestHeaders(): "continue" {
    const { request } = this.#host.exchange;
    const { host, method, headers } = this.#options;
    request.target = this.#rewrite(request.target);
    if (host !== undefined) request.authority = host;
    if (method !== undefined) request.method = method;
    for (const name of headers?.remove ?? []) request.headers.remove(name.toLowerCase());
    for (const [name, value] of Object.entries(headers?.set ?? {})) {
      request.headers.set(name, value);
    }
    for (const [name, value] of Object.entries(headers?.add ?? {})) {
      request.headers.append(name, value);
    }
    return "continue";
  }

  #rewrite(target: string): string {
    const { uri, regex_uri: regexUri } = this.#options;
    const queryAt = target.indexOf("?");
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    const query = queryAt < 0 ? "" : target.slice(queryAt);
    if (uri !== undefined) return withQuery(uri, query);
    if (regexUri === undefined || this.#pattern === undefined) return target;
    return withQuery(path.replace(this.#pattern, regexUri[1]), query);
  }

  // Never called: `callbacks` names request headers only.
  onRequestBody = proceed;
  onRequestTrailers = proceed;
  onResponseHeaders = proceed;
  onResponseBody = proceed;
  onResponseTrailers = proceed;
  onEnd(): void {}
}

function proceed(): "continue" {
  return "continue";
}

/** A replacement may bring a query of its own, which the client's is added to. */
function withQuery(uri: string, query: string): string {
  return uri.includes("?") && query !== "" ? `${uri}&${query.slice(1)}` : uri + query;
}
