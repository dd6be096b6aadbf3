import initWabt from "wabt";
import { BodyBuffer } from "../../filter/body-buffer.ts";
import type {
  BodyWindow,
  CallOut,
  CallOutOutcome,
  CallOutRefusal,
  CallOutRequest,
  DeniedUse,
  Direction,
  FilterExchange,
  FilterHost,
  GrpcEvents,
  GrpcRequest,
  GrpcStream,
  LocalReply,
  LogLevel,
  PluginHost,
  PropertyValue,
  RequestHead,
  ResponseHead,
  DENIED,
} from "../../filter/filter.ts";
import type { GatewayError } from "../../base/errors.ts";
import { HeaderList } from "../../http/headers.ts";
import { GuestMemory } from "../../wasm/guest-memory.ts";
import { type LoadedModule, loadModule } from "../../wasm/module.ts";
import { StreamContext } from "./context.ts";
import { Guest } from "./guest.ts";
import { GuestLog } from "../guest/guest-log.ts";
import { Health } from "../guest/health.ts";
import { hostFunctions } from "./host-functions.ts";
import { Metrics } from "./metrics.ts";
import type { GuestSettings } from "../guest/settings.ts";
import type { HostFunctionName } from "./signatures.ts";
import type { AbiVersion } from "./types.ts";
import { VmScopes } from "./vm-scope.ts";

/** Stand-ins for the gateway and for guests, for tests only. */

const wabt = await initWabt();

/** Assembles a module from its text. */
export function wat(text: string): Uint8Array {
  const module = wabt.parseWat("test.wat", text, { exceptions: true });
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

/** Marker, one page of memory and an allocator that hands out memory from 4096 up. */
export const PRELUDE = `
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))
  (func (export "malloc") (param $n i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free)
      (i32.and (i32.add (local.get $n) (i32.const 7)) (i32.const -8)))))
  (func (export "proxy_abi_version_0_2_1"))`;

export function load(
  text: string,
  limits: { memoryPages: number; fuel: number } = TEST_SETTINGS.limits,
): LoadedModule {
  return loadModule(wat(text), { memoryPages: limits.memoryPages, fuel: limits.fuel > 0 });
}

/** Bounds that no test comes near to unless it is about them. */
export const TEST_SETTINGS: GuestSettings = {
  instances: "shared",
  limits: {
    memoryPages: 1024,
    recyclePages: 768,
    deadlineMs: 2000,
    totalMs: 0,
    fuel: 0,
    startMs: 2000,
  },
  pool: { size: 4, warm: 1, queue: 4, waitMs: 50 },
  breaker: { failures: 0, windowMs: 1000, openMs: 1000 },
  seed: undefined,
  pause: "all",
  routeCache: "clear",
};

/** A gRPC call or stream of a guest; the test plays the node. */
export class FakeGrpc implements GrpcStream {
  readonly request: GrpcRequest;
  readonly events: GrpcEvents;
  readonly sent: { text: string; end: boolean }[] = [];
  unsentBytes = 0;
  answer: "sent" | "full" | "ended" = "sent";
  finished = 0;
  cancelled = 0;

  constructor(request: GrpcRequest, events: GrpcEvents) {
    this.request = request;
    this.events = events;
  }

  send(message: Uint8Array, end: boolean): "sent" | "full" | "ended" {
    if (this.answer === "sent") this.sent.push({ text: Buffer.from(message).toString(), end });
    return this.answer;
  }

  finish(): void {
    this.finished++;
  }

  cancel(): void {
    this.cancelled++;
  }
}

export class FakePluginHost implements PluginHost {
  name = "test";
  configuration: Uint8Array = new Uint8Array();
  vmConfiguration: Uint8Array = new Uint8Array();
  rootId = "root";
  vmId = "vm";
  environment: Readonly<Record<string, string>> = {};
  failOpen = false;
  mayTick = true;
  logLevel: LogLevel = "trace";
  readonly logged: string[] = [];
  readonly calls: { request: CallOutRequest; done: (outcome: CallOutOutcome) => void }[] = [];
  readonly grpcs: FakeGrpc[] = [];
  cancelled = 0;
  refusal: CallOutRefusal | undefined;

  /** VM ids whose queues it may find. */
  findable: readonly string[] = ["vm"];
  readonly gatewayProperties = new Map<string, PropertyValue | typeof DENIED>();

  log(level: LogLevel, message: string): void {
    this.logged.push(`${level}: ${message}`);
  }

  callOut(
    request: CallOutRequest,
    done: (outcome: CallOutOutcome) => void,
  ): CallOut | CallOutRefusal {
    if (this.refusal !== undefined) return this.refusal;
    this.calls.push({ request, done });
    return { cancel: () => this.cancelled++ };
  }

  grpc(request: GrpcRequest, events: GrpcEvents): GrpcStream | CallOutRefusal {
    if (this.refusal !== undefined) return this.refusal;
    const grpc = new FakeGrpc(request, events);
    this.grpcs.push(grpc);
    return grpc;
  }

  mayFindQueues(vmId: string): boolean {
    return this.findable.includes(vmId);
  }

  gatewayProperty(name: string): PropertyValue | typeof DENIED | undefined {
    return this.gatewayProperties.get(name);
  }

  explainDenied(use: DeniedUse, name: string): string {
    return `denied ${use} ${JSON.stringify(name)}`;
  }
}

export class FakeFilterHost implements FilterHost {
  readonly request: RequestHead = {
    method: "GET",
    scheme: "http",
    authority: "example.com",
    target: "/a?b=c",
    headers: HeaderList.from([["Accept", "*/*"]]),
  };
  response: ResponseHead | undefined;
  requestTrailers: HeaderList | undefined;
  responseTrailers: HeaderList | undefined;
  readonly mutable = { request: true, response: true };
  readonly bodies: { request?: BodyBuffer; response?: BodyBuffer } = {};
  readonly properties = new Map<string, PropertyValue>();
  readonly readOnly = new Set<string>();
  readonly resumed: Direction[] = [];
  readonly replies: LocalReply[] = [];
  readonly failures: GatewayError[] = [];
  readonly bodiesSet: { request?: Uint8Array; response?: Uint8Array } = {};
  readonly trailersSet: Partial<Record<Direction, HeaderList | undefined>> = {};
  resets = 0;
  routeClears = 0;
  readonly exchange: FilterExchange;

  constructor() {
    // eslint-disable-next-line typescript/no-this-alias -- the getters have a `this` of their own
    const host = this;
    this.exchange = {
      request: host.request,
      get response() {
        return host.response;
      },
      get requestTrailers() {
        return host.requestTrailers;
      },
      get responseTrailers() {
        return host.responseTrailers;
      },
      isHeadMutable: (direction) => host.mutable[direction],
      getProperty: (path) => host.properties.get(path.join(".")),
      setProperty: (path, value, readOnly = false) => {
        const name = path.join(".");
        if (host.readOnly.has(name)) return false;
        if (readOnly) host.readOnly.add(name);
        host.properties.set(name, value);
        return true;
      },
      clearRoute: () => void host.routeClears++,
      addTrailers: (direction) => (host[`${direction}Trailers`] ??= new HeaderList()),
    };
  }

  body(direction: Direction): BodyWindow | undefined {
    return this.bodies[direction];
  }

  /** Lets the filter hold these bytes. */
  hold(direction: Direction, text: string): BodyBuffer {
    const buffer = new BodyBuffer();
    if (text !== "") buffer.append(Buffer.from(text, "latin1"));
    this.bodies[direction] = buffer;
    return buffer;
  }

  setBody(direction: Direction, bytes: Uint8Array, trailers?: HeaderList): void {
    this.bodiesSet[direction] = bytes;
    this.trailersSet[direction] = trailers;
  }

  resume(direction: Direction): void {
    this.resumed.push(direction);
  }

  localReply(reply: LocalReply): boolean {
    this.replies.push(reply);
    return this.replies.length === 1;
  }

  reset(): void {
    this.resets++;
  }

  fail(error: GatewayError): void {
    this.failures.push(error);
  }
}

type Env = Record<HostFunctionName, (...args: (number | bigint)[]) => number>;
type Script = (...args: number[]) => number | void;

const MEMORY_PAGES = 16;
/** Out-pointers of host functions. */
export const OUT = 64;
/** An address that lies outside of every test guest's memory. */
export const BAD = 0xffff_fff0;

/** A guest whose callbacks are written in the test; its memory is real. */
export class ScriptedGuest {
  readonly host = new FakePluginHost();
  readonly guest: Guest;
  readonly env: Env;
  readonly memory = new WebAssembly.Memory({ initial: MEMORY_PAGES });
  /** Sizes that the allocator was asked for. */
  readonly allocated: number[] = [];
  #free = 4096;
  /** Of within(), in place of what the test has for a tick. */
  #inside: (() => void) | undefined;
  readonly #scripts: Record<string, Script> = {
    malloc: (byteLength = 0) => {
      this.allocated.push(byteLength);
      const ptr = this.#free;
      this.#free += (byteLength + 7) & ~7;
      return ptr;
    },
  };

  constructor(
    scripts: Record<string, Script> = {},
    abi: AbiVersion = "0.2.1",
    scopes?: VmScopes,
    settings: Partial<GuestSettings> = {},
  ) {
    const tick = scripts["proxy_on_tick"];
    Object.assign(this.#scripts, scripts, {
      proxy_on_tick: (...args: number[]) => (this.#inside ?? tick)?.(...args),
    });
    const log = new GuestLog(this.host, () => 0);
    this.guest = new Guest(abi, {
      host: this.host,
      log,
      metrics: new Metrics(),
      settings: { ...TEST_SETTINGS, ...settings },
      health: new Health(TEST_SETTINGS.breaker, log, () => 0),
      scope: (scopes ?? new VmScopes()).acquire(this.host.vmId),
    });
    this.env = hostFunctions(this.guest) as unknown as Env;
    this.guest.attach(new GuestMemory(this.memory), this.#scripts as never);
  }

  stream(host = new FakeFilterHost()): StreamContext {
    return StreamContext.create(this.guest, host);
  }

  /** Runs the body as a callback of a stream, or of the root context. */
  within<T>(stream: StreamContext | undefined, body: (env: Env) => T): T {
    let result: T | undefined;
    this.#inside = () => {
      result = body(this.env);
    };
    try {
      this.guest.call("proxy_on_tick", stream, 1);
    } finally {
      this.#inside = undefined;
    }
    return result as T;
  }

  /** Writes text somewhere. @returns address and length, as host functions take them */
  put(text: string | Uint8Array): [ptr: number, byteLength: number] {
    const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
    const ptr = this.#free;
    this.#free += (bytes.byteLength + 7) & ~7;
    new Uint8Array(this.memory.buffer).set(bytes, ptr);
    return [ptr, bytes.byteLength];
  }

  u32(ptr: number): number {
    return new DataView(this.memory.buffer).getUint32(ptr, true);
  }

  u64(ptr: number): bigint {
    return new DataView(this.memory.buffer).getBigUint64(ptr, true);
  }

  /** What a host function has handed over by the out-pointers OUT and OUT + 4. */
  taken(): Buffer {
    const ptr = this.u32(OUT);
    return Buffer.from(this.memory.buffer.slice(ptr, ptr + this.u32(OUT + 4)));
  }
}

/** Header pairs as a guest serializes them, written apart from the code under test. */
export function wire(pairs: readonly (readonly [string, string])[]): Uint8Array {
  const lengths = Buffer.alloc(4 + 8 * pairs.length);
  lengths.writeUInt32LE(pairs.length, 0);
  for (const [at, [name, value]] of pairs.entries()) {
    lengths.writeUInt32LE(name.length, 4 + 8 * at);
    lengths.writeUInt32LE(value.length, 8 + 8 * at);
  }
  const text = pairs.map(([name, value]) => `${name}\0${value}\0`).join("");
  return Buffer.concat([lengths, Buffer.from(text, "latin1")]);
}

/** The reverse. */
export function unwire(bytes: Uint8Array): [string, string][] {
  const buffer = Buffer.from(bytes);
  if (buffer.byteLength === 0) return [];
  const count = buffer.readUInt32LE(0);
  const texts = buffer.toString("latin1", 4 + 8 * count).split("\0");
  return Array.from({ length: count }, (_, at) => [texts[2 * at] ?? "", texts[2 * at + 1] ?? ""]);
}
