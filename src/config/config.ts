/**
 * The typed configuration: what is left when a file has been parsed, checked and completed with its
 * defaults. Plain data (it travels to the workers as JSON), durations in ms, sizes in bytes.
 */
export interface Config {
  /** Absolute path of the file. */
  readonly file: string;
  readonly listeners: readonly ListenerConfig[];
  /** Number of data-plane processes, `auto` resolved. */
  readonly workers: number;
  /** Absolute path; every NAME.wasm in it is the plugin NAME. */
  readonly pluginsDir: string;
  /** Declared in `wasm.plugins` or found in `plugins_dir`; declared ones win. Sorted by name. */
  readonly plugins: readonly PluginConfig[];
  /** Named ones and those written inside a route (their id is `route:ROUTE_ID`). */
  readonly upstreams: readonly UpstreamConfig[];
  readonly routes: readonly RouteConfig[];
  /** Run before every route's own plugins. */
  readonly globalPlugins: readonly PluginUse[];
  readonly limits: LimitsConfig;
  readonly log: {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly format: "text" | "json";
  };
  /** ms that SIGTERM waits for exchanges in flight. */
  readonly drainMs: number;
}

/** Where in the file a thing stands; 1-based, for diagnostics that come after loading. */
export interface Position {
  readonly line: number;
  readonly column: number;
  /** Characters to underline. */
  readonly length: number;
}

export interface ListenerConfig {
  /** As written, for messages: "0.0.0.0:9080". */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** What speaks HTTP with clients; `auto` is the gateway's choice. */
  readonly front: "auto" | "http1" | "serve";
  readonly position: Position;
}

export interface PluginConfig {
  readonly name: string;
  /** Absolute path of the module. */
  readonly file: string;
  /** Lower-case hex; the module is refused when it differs. */
  readonly sha256: string | undefined;
  readonly abi: "auto" | "proxy-wasm";
  readonly rootId: string;
  /** JSON text of a mapping, or the string itself. */
  readonly vmConfig: string;
  readonly fail: "closed" | "open";
  readonly allow: {
    /** Ids of upstreams that call-outs may go to. */
    readonly httpCall: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
  /** Of its declaration; undefined for one that was found in the folder. */
  readonly position: Position | undefined;
}

/** One plugin in a route's chain. */
export interface PluginUse {
  readonly name: string;
  /** What the guest reads as its configuration: JSON text of a mapping, or the string itself. */
  readonly config: string;
  /** `name` is one of the gateway's own filters (proxy-rewrite), not a module. */
  readonly native: boolean;
  readonly position: Position;
}

export interface UpstreamConfig {
  readonly id: string;
  readonly type: "roundrobin";
  readonly nodes: readonly NodeConfig[];
  readonly timeout: TimeoutConfig;
  /** More attempts after the first. */
  readonly retries: number;
  /** Host header towards the node: the client's, the node's address, or `upstreamHost`. */
  readonly passHost: "pass" | "node" | "rewrite";
  readonly upstreamHost: string | undefined;
  readonly keepalive: {
    /** Idle connections kept per node and worker. */
    readonly size: number;
    readonly idleMs: number;
    /** Exchanges on one connection before it is closed. */
    readonly requests: number;
  };
}

/** All in ms; 0 means none. */
export interface TimeoutConfig {
  readonly connectMs: number;
  /** Between two writes that the node accepts. */
  readonly sendMs: number;
  /** Until the response head, and between two chunks of its body. */
  readonly readMs: number;
  /** From the start of forwarding to the last byte, retries included. */
  readonly totalMs: number;
  /** Without a byte in either direction, for upgraded connections (WebSocket). */
  readonly idleMs: number;
}

export type NodeConfig = {
  readonly weight: number;
  /** As written, for messages and pass_host: node. */
  readonly address: string;
} & (
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "builtin"; readonly name: "httpbin" }
);

export interface RouteConfig {
  readonly id: string;
  /** Each exact, a prefix ending in "/*", with ":parameters", or a regular expression after "~". */
  readonly uris: readonly string[];
  /** Lower-case, exact or "*.example.com"; empty for every host. */
  readonly hosts: readonly string[];
  /** Upper-case; empty for every method. */
  readonly methods: readonly string[];
  /** Higher wins before any other criterion. */
  readonly priority: number;
  readonly plugins: readonly PluginUse[];
  readonly upstreamId: string;
  /** The upstream's, with what the route overrides. */
  readonly timeout: TimeoutConfig;
  readonly position: Position;
}

export interface LimitsConfig {
  readonly requestTargetBytes: number;
  readonly requestHeaderBytes: number;
  readonly requestBodyBytes: number;
  /** Bytes of body that one paused filter may hold. */
  readonly filterBufferBytes: number;
  /** Per worker. */
  readonly exchangesInFlight: number;
}
