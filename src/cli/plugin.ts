import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { log } from "../base/log.ts";
import { print } from "../base/standard-streams.ts";
import { readRecording, writeRecording } from "../plugin-run/recording.ts";
import { renderTranscript } from "../plugin-run/render.ts";
import { replay, type Replayed } from "../plugin-run/replay.ts";
import { runExchange } from "../plugin-run/run-exchange.ts";
import type { Transcript } from "../plugin-run/transcript.ts";
import { meter } from "../wasm/sandbox/meter.ts";
import { parse, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { PLUGIN_RUN_FLAGS, type RunFlags, runOptionsOf } from "./plugin-run-flags.ts";
import { readBounded } from "./read-bounded.ts";

export const plugin: Command = {
  usage: "plugin run FILE.wasm [OPTIONS]",
  summary: "Run one exchange through a plugin and print all that happens",
  details: `
  FILE.wasm                        a module file

The plugin:
  --config TEXT                    its configuration: JSON, or text as it is
  --config-file FILE               the same, from a file
  --vm-config TEXT                 what proxy_on_vm_start reads
  --root-id TEXT                   the property plugin_root_id
  --env NAME=VALUE                 an environment variable that it is granted; repeatable
  --abi auto|proxy-wasm|http-wasm  what it is written for, found in the module by default
  --fail closed|open               what a failure means, default closed
  --filter-buffer BYTES            body that it may hold back while it pauses

The request:
  --request 'METHOD URL'           default GET http://example.test/
  -H, --header 'NAME: VALUE'       a header line; repeatable
  -d, --body TEXT                  a body; the method is POST then, unless it is told
  --body-file FILE                 the same, from a file
  --chunk BYTES                    both bodies come in pieces of that size
  --trailer 'NAME: VALUE'          a trailer line; repeatable

The upstream, which answers with the request as JSON when it is told nothing:
  --response STATUS                its status, or timeout, reset, refused for no answer
  --response-header 'NAME: VALUE'  repeatable
  --response-body TEXT
  --response-body-file FILE
  --response-trailer 'NAME: VALUE' repeatable

Around it:
  --call-response 'UPSTREAM STATUS [BODY]'
                                   the next answer to a call-out to that upstream or host:port,
                                   which is granted; repeatable; timeout or reset for no answer
  --grpc-response 'UPSTREAM STATUS [MESSAGE]'
                                   the next answer to a gRPC call to it: a message with status 0,
                                   or a status from 1 to 16, or timeout; repeatable
  --queue 'NAME=ITEM'              put into a queue that the plugin has registered; repeatable
  --ticks N                        wait for N ticks before the request
  --ticks-after N                  and for N ticks after the response

Comparing versions of a plugin:
  --record FILE                    write the run down, with all that the plugin was given
  --replay FILE                    run the module against what was written down: callbacks come as
                                   they came, host calls answer what they answered; the first
                                   difference is shown. It goes with no other option

No socket is opened. Times are those of the run: it begins on 2026-01-01, and when there is nothing
left to do, what is due next happens at once. Random numbers are the same in every run. So two runs
print the same.

  > NAME(…)        the host enters the plugin         < NAME = …   the plugin returns
    NAME(…) = …    the plugin calls the host          -> …         what it is given
  => upstream, => client      what leaves             * …          what the run does

Exit codes: 0 the exchange ran, or the replay was the same; 1 the plugin was refused or has failed,
or the replay was different; 2 wrong usage.`,
  async run(args) {
    const [name, ...rest] = args;
    if (name !== "run") {
      const what = name === undefined ? "nothing" : `"${name}"`;
      throw new UsageError(`plugin takes a command, run, not ${what}`);
    }
    const { positionals, values } = parse(rest, PLUGIN_RUN_FLAGS, 1);
    const [file] = positionals;
    if (file === undefined) throw new UsageError("plugin run needs a module file");
    if (values.replay !== undefined) return compare(file, values.replay, values);
    const options = await runOptionsOf(values);
    const module = await readBounded(file, LIMITS.moduleBytesMax);
    log.configure({ level: "error", format: "text" });
    await meter.start();
    const transcript = await runExchange(module, options);
    print(renderTranscript(transcript));
    if (values.record !== undefined) await save(values.record, transcript);
    return isWell(transcript) ? 0 : 1;
  },
};

async function compare(file: string, recorded: string, flags: RunFlags): Promise<number> {
  const other = Object.keys(flags).find((flag) => flag !== "replay");
  if (other !== undefined) {
    throw new UsageError(`--replay goes with no other option, and --${other} is given`);
  }
  const bytes = await readBounded(recorded, LIMITS.recordingBytesMax);
  const recording = readRecording(new TextDecoder().decode(bytes));
  const module = await readBounded(file, LIMITS.moduleBytesMax);
  await meter.start();
  const replayed = replay(module, recording);
  print(renderReplayed(replayed, recorded));
  return replayed.same ? 0 : 1;
}

function renderReplayed(replayed: Replayed, file: string): string {
  if (replayed.same) return `the same as ${file}: ${replayed.events} events\n`;
  const { line, within, recorded, now } = replayed.difference;
  const where = within === undefined ? "" : `  in        ${within.trim()}\n`;
  return `different from ${file}:${line}\n${where}  recorded  ${recorded}\n  now       ${now}\n`;
}

async function save(file: string, transcript: Transcript): Promise<void> {
  try {
    await Bun.write(file, writeRecording(transcript));
  } catch (error) {
    throw new Error(`Cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Nothing was refused, and nothing was ended by a trap or a bound. */
function isWell({ refused, failures }: Transcript): boolean {
  return refused === undefined && failures.length === 0;
}
