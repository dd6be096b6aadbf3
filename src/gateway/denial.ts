import type { Config } from "../config/config.ts";
import type { DeniedUse } from "../filter/filter.ts";
import { quoted } from "../http/refusal.ts";

/**
 * What the operator reads about a use that was denied, with the words of YAML that would grant it:
 *
 *   Cannot call upstream "auth": plugin "waf" is not granted it; add "auth" to allow.http_call of
 *   plugin "waf" (gateway.yaml:12)
 *
 * @param name of the guest's choosing: it is cut and escaped
 * @param config the one in whose lines the plugin is found
 */
export function explainDenial(
  use: DeniedUse,
  name: string,
  plugin: string,
  config: Config | undefined,
): string {
  const shown = printable(name);
  const { subject, what } = {
    http_call: {
      subject: `call ${/[.:]/.test(name) ? "address" : "upstream"} ${shown}`,
      what: "it",
    },
    queues: { subject: `find a queue of ${shown}`, what: "its queues" },
    properties: { subject: `read property ${shown}`, what: "it" },
  }[use];
  const file = (config?.file ?? "gateway.yaml").split("/").at(-1);
  const line = config?.plugins.find((each) => each.name === plugin)?.position?.line;
  const remedy =
    line === undefined
      ? `add { name: ${plugin}, allow: { ${use}: [${shown}] } } to wasm.plugins (${file})`
      : `add ${shown} to allow.${use} of plugin "${plugin}" (${file}:${line})`;
  return `Cannot ${subject}: plugin "${plugin}" is not granted ${what}; ${remedy}`;
}

/** JSON leaves the second set of control characters as they are; terminals obey them. */
function printable(name: string): string {
  return quoted(name).replace(/[\u007f-\u009f]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
