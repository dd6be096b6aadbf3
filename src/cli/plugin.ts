import { LIMITS } from "../base/limits.ts";
import { log } from "../base/log.ts";
import { renderTranscript } from "../plugin-run/render.ts";
import { runExchange } from "../plugin-run/run-exchange.ts";
import type { Transcript } from "../plugin-run/transcript.ts";
import { meter } from "../wasm/sandbox/meter.ts";
import { parse, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { PLUGIN_RUN_FLAGS, runOptionsOf } from "./plugin-run-flags.ts";
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
  --queue 'NAME=ITEM'              put into a queue that the plugin has registered; repeatable
  --ticks N                        wait for N ticks before the request
  --ticks-after N                  and for N ticks after the response

No socket is opened. Times are those of the run: it begins on 2026-01-01, and when there is nothing
left to do, what is due next happens at once. Random numbers are the same in every run. So two runs
print the same.

  > NAME(…)        the host enters the plugin         < NAME = …   the plugin returns
    NAME(…) = …    the plugin calls the host          -> …         what it is given
  => upstream, => client      what leaves             * …          what the run does

Exit codes: 0 the exchange ran, 1 the plugin was refused or has failed, 2 wrong usage.`,
  async run(args) {
    const [name, ...rest] = args;
    if (name !== "run") {
      const what = name === undefined ? "nothing" : `"${name}"`;
      throw new UsageError(`plugin takes a command, run, not ${what}`);
    }
    const { positionals, values } = parse(rest, PLUGIN_RUN_FLAGS, 1);
    const [file] = positionals;
    if (file === undefined) throw new UsageError("plugin run needs a module file");
    const options = await runOptionsOf(values);
    const module = await readBounded(file, LIMITS.moduleBytesMax);
    log.configure({ level: "error", format: "text" });
    await meter.start();
    const transcript = await runExchange(module, options);
    process.stdout.write(renderTranscript(transcript));
    return isWell(transcript) ? 0 : 1;
  },
};

/** Nothing was refused, and nothing was ended by a trap or a bound. */
function isWell({ refused, failures }: Transcript): boolean {
  return refused === undefined && failures.length === 0;
}
