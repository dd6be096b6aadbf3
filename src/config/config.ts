/**
 * The typed configuration: what is left when a file has been parsed, checked and completed with its
 * defaults. Plain data (it travels to the workers as JSON), durations in ms, sizes in bytes.
 */
export interface Config {
  /** Absolute path of the file. */
  readonly file: string;
  readonly listeners: readonly ListenerConfig[];
  /** Of the listeners with `tls`; a client that asks for no name of them gets the first. */
  readonly ssls: readonly SslConfig[];
  /** The read-only port for operators; undefined: there is none. */
  readonly admin: AdminConfig | undefined;
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
  /** TLS towards clients, with the certificates of `ssls`. */
  readonly tls: boolean;
  readonly position: Position;
}

/** A certificate: where it is, and not what is in it, so that a Config holds no secret key. */
export interface SslConfig {
  /** Lower-case, exact or "*.example.com". */
  readonly snis: readonly string[];
  readonly cert: SslFile;
  readonly key: SslFile;
  readonly position: Position;
}

export interface SslFile {
  /** Absolute path of a PEM file. */
  readonly file: string;
  readonly position: Position;
}

export interface AdminConfig {
  /** Loopback addresses, on no port of `listeners`. */
  readonly listeners: readonly AdminListener[];
}

export interface AdminListener {
  /** As written. */
  readonly address: string;
  /** An IP address: 127.0.0.0/8 or ::1. */
  readonly host: string;
  readonly port: number;
  readonly position: Position;
}

export interface PluginConfig extends SandboxConfig {
  readonly name: string;
  /** Absolute path of the module. */
  readonly file: string;
  /** Lower-case hex; the module is refused when it differs. */
  readonly sha256: string | undefined;
  readonly abi: "auto" | "proxy-wasm" | "http-wasm";
  readonly rootId: string;
  /** JSON text of a mapping, or the string itself. */
  readonly vmConfig: string;
  readonly fail: "closed" | "open";
  /** Where its root context gets ticks: on every worker, or on one at a time. */
  readonly tick: "all" | "leader";
  readonly allow: AllowConfig;
  /** Of its declaration; undefined for one that was found in the folder. */
  readonly position: Position | undefined;
}

/** How the guests of one plugin run on one worker, and what they may cost. */
export interface SandboxConfig {
  /** shared: one guest for all exchanges; per_request: each exchange begins in a clean state. */
  readonly instances: "shared" | "per_request";
  readonly limits: {
    /** Pages of 64 KiB that one guest may have. */
    readonly memoryPages: number;
    /** Pages; a guest that has grown beyond them is replaced. At most `memoryPages`. */
    readonly recyclePages: number;
    /** ms on the clock; one callback. */
    readonly deadlineMs: number;
    /** ms on the clock; the callbacks of one exchange together; 0 means no bound. */
    readonly totalMs: number;
    /** Weighted instructions of one callback; 0 means that they are not counted. */
    readonly fuel: number;
    /** ms on the clock; each step of a guest's start. */
    readonly startMs: number;
  };
  /** Means nothing when `instances` is shared. */
  readonly pool: {
    /** Sandboxes at most. */
    readonly size: number;
    /** Sandboxes that are made before the first exchange. At most `size`. */
    readonly warm: number;
    /** Exchanges that may wait for a sandbox. */
    readonly queue: number;
    /** ms that an exchange waits for one. */
    readonly waitMs: number;
  };
  readonly breaker: {
    /** Failures within `windowMs` that open it; 0 means no breaker. */
    readonly failures: number;
    readonly windowMs: number;
    /** ms that it stays open before one exchange tries again. */
    readonly openMs: number;
  };
  /** Exported function () → () that is called in each clean sandbox before its exchange. */
  readonly seed: string | undefined;
  /** What Pause in a headers callback holds: everything, or the headers while the body streams. */
  readonly pause: "all" | "stream";
  /** Whether a change of the request's headers has the route chosen again. */
  readonly routeCache: "clear" | "retain";
}

/** What a plugin is granted. */
export interface AllowConfig {
  /** Ids of upstreams that call-outs may go to. */
  readonly httpCall: readonly string[];
  /**
   * Addresses that are no upstreams: "host:port", host lower-case or "*.suffix" or "[v6]", port a
   * number or "*".
   */
  readonly httpCallPatterns: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Of the plugin's shared data and queues: its own name, or another. */
  readonly namespace: string;
  /** Other namespaces whose queues it may find. */
  readonly queues: readonly string[];
  /** Properties of the gateway: a path joined by ".", or one that ends with ".*". */
  readonly properties: readonly string[];
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
