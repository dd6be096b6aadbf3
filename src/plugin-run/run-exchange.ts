import { Cancellation } from "../base/cancellation.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { Plugin } from "../filter/filter.ts";
import { HeaderList } from "../http/headers.ts";
import { handle } from "../proxy/exchange.ts";
import { type Answer, answerOf, type Incoming } from "../proxy/front/front.ts";
import type { DataPlane } from "../proxy/served.ts";
import { buildRouter } from "../router/router.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { inRunTime } from "./observed-plugin.ts";
import { Recorder } from "./recorder.ts";
import { RunClock } from "./run-clock.ts";
import { RunHost } from "./run-host.ts";
import { type RunOptions, type RunRequest, toBytes } from "./run-options.ts";
import { SeededRandom } from "./seeded-random.ts";
import { record, StandInUpstream } from "./stand-in-upstream.ts";
import { type Started, startForRun } from "./start-for-run.ts";
import type { SentMessage, Transcript } from "./transcript.ts";

/** ms since 1970 at which runs begin unless they are told: 2026-01-01. */
const START_MS = Date.UTC(2026, 0, 1);
/** Turns of the event loop without an event, after which only time can bring one. */
const QUIET_TURNS = 3;

let last: Promise<unknown> = Promise.resolve();

/**
 * One exchange through one plugin, without sockets: the gateway's own start of plugins, its own
 * admission, filters, forwarding and failures, between a client and an upstream that are told what
 * to do. The same arguments give the same transcript. Runs wait for each other: they hold the
 * process's clock.
 * @param bytes of the module
 * @throws Error when the transcript gets too long, RunStuck when the exchange never ends
 */
export async function runExchange(
  bytes: Uint8Array,
  options: RunOptions = {},
): Promise<Transcript> {
  const run = last.then(() => new Run(options).go(bytes));
  last = run.catch(() => {});
  return run;
}

/** Nothing happens any more, and the exchange has not ended. */
export class RunStuck extends Error {
  override readonly name = "RunStuck";
}

class Run {
  readonly #options: RunOptions;
  readonly #clock: RunClock;
  readonly #recorder: Recorder;
  readonly #upstream: StandInUpstream;
  readonly #eventsMax: number;
  #response: SentMessage | undefined;
  #refused: string | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#clock = new RunClock(options.startMs ?? START_MS);
    const random = new SeededRandom(options.seed ?? 1);
    const eventsMax = LIMITS.transcriptEventsMax;
    this.#eventsMax = Math.min(options.eventsMax ?? eventsMax, eventsMax);
    const replacements = {
      lookNs: () => this.#clock.lookNs(),
      random: (byteLength: number) => random.bytes(byteLength),
    };
    this.#recorder = new Recorder(replacements, this.#eventsMax);
    this.#upstream = new StandInUpstream(this.#recorder, options.upstream);
  }

  async go(bytes: Uint8Array): Promise<Transcript> {
    const release = this.#clock.hold();
    try {
      const started = this.#start(bytes);
      if (started !== undefined) await this.#live(started);
    } finally {
      release();
    }
    const { events, failures, guests, callbacks, full } = this.#recorder;
    if (full) {
      throw new Error(
        `Cannot write down this run: it has more than ${this.#eventsMax} events or ` +
          `${LIMITS.transcriptBytesMax} bytes of text`,
      );
    }
    const request = this.#upstream.received;
    return {
      events,
      request,
      response: this.#response,
      refused: this.#refused,
      failures,
      guests,
      callbacks,
      environment: this.#options.allow?.env ?? {},
    };
  }

  #start(bytes: Uint8Array): Started | undefined {
    const { instances, limits, pause } = this.#options;
    const settings = {
      ...DEFAULTS.sandbox,
      instances: instances ?? DEFAULTS.sandbox.instances,
      pause: pause ?? DEFAULTS.sandbox.pause,
      limits: { ...DEFAULTS.sandbox.limits, ...limits },
      pool: { ...DEFAULTS.sandbox.pool, warm: 0 },
    };
    const host = new RunHost(this.#options, this.#recorder);
    try {
      return startForRun(bytes, host, settings, this.#options.abi ?? "auto", this.#clock.nowMs);
    } catch (error) {
      this.#refused = messageOf(error);
      return undefined;
    }
  }

  async #live({ plugin, enqueue }: Started): Promise<void> {
    try {
      for (const { queue, item } of this.#options.queueItems ?? []) {
        const isIn = enqueue(queue, toBytes(item));
        this.#recorder.note(`an item ${isIn ? "comes into" : "finds no place in"} queue ${queue}`);
      }
      await this.#untilQuiet();
      await this.#ticks(this.#options.ticks ?? 0);
      let isOver = false;
      const exchange = this.#exchange(plugin).finally(() => (isOver = true));
      exchange.catch(() => {}); // It is awaited below, when it has ended.
      await this.#until(() => isOver);
      await exchange;
      await this.#untilQuiet();
      await this.#ticks(this.#options.ticksAfter ?? 0);
    } finally {
      plugin.close();
      // One whose `proxy_on_done` has answered "not yet" goes on until it is done.
      while (this.#jump()) await this.#untilQuiet();
    }
  }

  async #exchange(plugin: Plugin): Promise<void> {
    const plane = this.#planeOf(inRunTime(plugin, this.#clock));
    const incoming = incomingOf(this.#options.request ?? {});
    const { method } = incoming;
    const answer = await answerOf((asked, asker) => handle(plane, asked, asker), incoming);
    const message = sentTo(answer);
    this.#response = message;
    this.#recorder.add({
      kind: "sent",
      depth: 0,
      to: "client",
      part: "head",
      text: String(answer.status),
      headers: message.headers,
    });
    try {
      await record(this.#recorder, "client", message, answer.body);
    } catch {
      // It is in the transcript: what has left of the response is all there is.
      incoming.cancellation.cancel(`the answer to ${method} broke off`);
    }
  }

  #planeOf(plugin: Plugin): DataPlane {
    const { filterBufferBytes } = this.#options;
    const value = {
      id: "route",
      upstream: this.#upstream,
      timeout: DEFAULTS.timeout,
      plugins: [plugin],
    };
    const rule = { id: "route", uris: ["/*"], hosts: [], methods: [], priority: 0, value };
    return {
      inFlight: 0,
      draining: false,
      nextRequestId: () => "plugin-run",
      current: {
        number: 1,
        router: buildRouter([rule]),
        limits: {
          ...DEFAULTS.limits,
          filterBufferBytes: filterBufferBytes ?? DEFAULTS.limits.filterBufferBytes,
        },
        enter: () => {},
        leave: () => {},
      },
    };
  }

  async #ticks(wanted: number): Promise<void> {
    const from = this.#recorder.events.length;
    const count = (): number =>
      this.#recorder.events
        .slice(from)
        .filter((event) => event.kind === "callback" && event.name === "proxy_on_tick").length;
    while (count() < Math.min(wanted, LIMITS.runTicksMax)) {
      if (!this.#jump()) {
        this.#recorder.note("no tick comes: the plugin has not asked for any");
        return;
      }
      await this.#untilQuiet();
    }
  }

  /** Lets events come until it is over; time passes when nothing else can happen. */
  async #until(isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.#untilQuiet(isOver);
      if (isOver()) return;
      if (!this.#jump()) {
        throw new RunStuck("Cannot end this exchange: nothing that it waits for can happen");
      }
    }
  }

  /** Lets everything happen that happens without time passing. */
  async #untilQuiet(isOver: () => boolean = () => false): Promise<void> {
    const { events } = this.#recorder;
    for (let quiet = 0; quiet < QUIET_TURNS && !isOver(); quiet++) {
      const seen = events.length;
      await new Promise((resolve) => setImmediate(resolve));
      if (events.length > seen && !this.#recorder.full) quiet = -1;
    }
  }

  #jump(): boolean {
    const { elapsedMs } = this.#clock;
    if (elapsedMs > LIMITS.runMsMax || this.#recorder.full) return false;
    return this.#clock.jump();
  }
}

function incomingOf(request: RunRequest): Incoming {
  const url = splitUrl(request.url ?? "http://example.test/");
  const headers = HeaderList.from(request.headers ?? []);
  if (!headers.has("host")) headers.append("Host", url.authority);
  const chunks = request.body?.map(toBytes);
  const trailers = request.trailers && HeaderList.from(request.trailers);
  const isSized = headers.has("content-length") || !headers.has("transfer-encoding");
  return {
    method: request.method ?? "GET",
    target: url.target,
    version: request.version ?? "1.1",
    scheme: url.scheme,
    headers,
    body:
      chunks === undefined && trailers === undefined
        ? undefined
        : new ChunkedBody(chunks ?? [], trailers, isSized),
    remoteAddress: "192.0.2.7",
    remotePort: 50_000,
    localAddress: "192.0.2.2",
    localPort: url.scheme === "https" ? 443 : 80,
    upgrade: undefined,
    cancellation: new Cancellation(),
  };
}

/** As it is written: what is wrong with it is the gateway's to say. */
function splitUrl(text: string): { scheme: "http" | "https"; authority: string; target: string } {
  const match = /^(?:(https?):\/\/([^/?]*))?(.*)$/s.exec(text);
  const target = match?.[3] ?? "";
  return {
    scheme: match?.[1] === "https" ? "https" : "http",
    authority: match?.[2] ?? "example.test",
    target: target === "" || target.startsWith("?") ? `/${target}` : target,
  };
}

function sentTo(answer: Answer): SentMessage {
  return {
    method: "",
    scheme: "",
    authority: "",
    target: "",
    status: answer.status,
    headers: [...answer.headers],
    chunks: [],
    trailers: undefined,
    complete: false,
  };
}
