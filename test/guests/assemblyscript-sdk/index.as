/**
 * Small filters on the SDK for AssemblyScript; the first word of the configuration says which one.
 *
 *     hello MILLISECONDS           logs a greeting at the start, and a number at each tick
 *     headers                      logs all headers, and answers /hello itself
 *     body WORD                    withholds bodies of responses that have the word in them
 *     config VALUE                 adds the value to responses, as x-configured
 *     append request|response TEXT puts the text behind the body
 *     auth UPSTREAM                one byte of the upstream decides who may pass
 */
export * from "@solo-io/proxy-runtime/proxy";
import {
  Context,
  log,
  LogLevelValues,
  registerRootContext,
  RootContext,
} from "@solo-io/proxy-runtime";
import { set_tick_period_milliseconds } from "@solo-io/proxy-runtime/runtime";
import { Append } from "./append";
import { Auth } from "./auth";
import { Body, Config } from "./body";
import { BUFFER_PLUGIN_CONFIGURATION, textOf } from "./buffers";
import { Headers } from "./headers";
import { tickLine } from "./hello";

class Root extends RootContext {
  word: string = "";
  rest: string = "";

  onStart(size: usize): bool {
    log(LogLevelValues.info, "Hello from AssemblyScript");
    return true;
  }

  // The SDK's own one hands the host the length where it should hand over an address.
  onConfigure(size: u32): bool {
    const text = textOf(BUFFER_PLUGIN_CONFIGURATION, size);
    const blank = text.indexOf(" ");
    this.word = blank < 0 ? text : text.substring(0, blank);
    this.rest = blank < 0 ? "" : text.substring(blank + 1);
    if (this.word == "hello") {
      set_tick_period_milliseconds(I32.parseInt(this.rest));
      return true;
    }
    if (this.word == "append") {
      if (this.rest.startsWith("request ") || this.rest.startsWith("response ")) return true;
    } else if (this.word == "headers" || this.word == "body" || this.word == "config") {
      return true;
    } else if (this.word == "auth") {
      return true;
    }
    const problem = "Cannot read the configuration \"" + text + "\": it names none of these filters";
    log(LogLevelValues.error, problem);
    return false;
  }

  onTick(): void {
    log(LogLevelValues.info, tickLine());
  }

  createContext(id: u32): Context {
    if (this.word == "headers") return new Headers(id, this);
    if (this.word == "body") return new Body(id, this, this.rest);
    if (this.word == "config") return new Config(id, this, this.rest);
    if (this.word == "append") return new Append(id, this, this.rest);
    if (this.word == "auth") return new Auth(id, this, this.rest);
    return new Context(id, this);
  }
}

registerRootContext((id: u32) => new Root(id), "examples");
