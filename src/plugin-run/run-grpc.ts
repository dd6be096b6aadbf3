import { type Deadline, deadlines } from "../base/deadlines.ts";
import type { GrpcEvents, GrpcRequest, GrpcStream } from "../filter/filter.ts";
import { HeaderList } from "../http/headers.ts";
import type { Recorder } from "./recorder.ts";
import { type RunGrpc, toBytes } from "./run-options.ts";

const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/** Answers that are left, by upstream: each in the order of its calls. */
export class GrpcAnswers {
  readonly #recorder: Recorder;
  readonly #left = new Map<string, RunGrpc[]>();

  constructor(recorder: Recorder, answers: readonly RunGrpc[]) {
    this.#recorder = recorder;
    for (const answer of answers) {
      this.#left.set(answer.upstream, [...(this.#left.get(answer.upstream) ?? []), answer]);
    }
  }

  get upstreams(): string[] {
    return [...this.#left.keys()];
  }

  begin(request: GrpcRequest, events: GrpcEvents): GrpcStream {
    const { upstream } = request;
    const answer = this.#left.get(upstream)?.shift() ?? { upstream, status: UNAVAILABLE };
    return new ScriptedStream(request, answer, events, this.#recorder);
  }
}

/** One call or stream whose node does what the run says: one event after the other. */
class ScriptedStream implements GrpcStream {
  readonly unsentBytes = 0;
  readonly #events: GrpcEvents;
  readonly #recorder: Recorder;
  readonly #path: string;
  readonly #steps: (() => void)[] = [];
  readonly #answer: RunGrpc;
  #next: Deadline | undefined;
  #finished: boolean;

  constructor(request: GrpcRequest, answer: RunGrpc, events: GrpcEvents, recorder: Recorder) {
    this.#events = events;
    this.#recorder = recorder;
    this.#path = request.path;
    this.#answer = answer;
    this.#finished = request.message !== undefined;
    const { delayMs = 0 } = answer;
    const isLate = request.timeoutMs > 0 && delayMs > request.timeoutMs;
    if (isLate) this.#steps.push(() => this.#close(DEADLINE_EXCEEDED, "no answer in time"));
    else this.#plan();
    if (this.#finished || answer.waitsForEnd !== true) {
      this.#arm(isLate ? request.timeoutMs : delayMs);
    }
  }

  send(message: Uint8Array, end: boolean): "sent" | "ended" {
    if (this.#finished) return "ended";
    this.#recorder.note(`${this.#path} is sent ${message.byteLength} bytes`);
    if (end) this.finish();
    return "sent";
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#recorder.note(`${this.#path} is sent no more`);
    if (this.#answer.waitsForEnd === true) this.#arm(this.#answer.delayMs ?? 0);
  }

  cancel(): void {
    this.#recorder.note(`${this.#path} is cancelled`);
    this.#next?.cancel();
    this.#steps.length = 0;
  }

  #plan(): void {
    const { metadata, messages = [], trailing, status = 0, message = "" } = this.#answer;
    const events = this.#events;
    if (metadata !== undefined) {
      this.#steps.push(() => events.initialMetadata(HeaderList.from(metadata)));
    }
    for (const each of messages) this.#steps.push(() => events.message(toBytes(each)));
    if (trailing !== undefined) {
      this.#steps.push(() => events.trailingMetadata(HeaderList.from(trailing)));
    }
    this.#steps.push(() => this.#close(status, message));
  }

  #close(code: number, message: string): void {
    this.#recorder.note(`${this.#path} ends with status ${code}`);
    this.#events.closed({ code, message });
  }

  #arm(afterMs: number): void {
    this.#next = deadlines.arm(afterMs, () => {
      // Armed before the step, which may cancel it.
      const step = this.#steps.shift();
      if (this.#steps.length > 0) this.#arm(0);
      step?.();
    });
  }
}
