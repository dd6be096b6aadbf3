import { assert } from "../base/assert.ts";
import { serveHttpbin } from "../httpbin/server.ts";

/**
 * Nodes that are part of the executable. `builtin:httpbin` is served by the worker itself on an
 * abstract Unix socket (no file, no port), from the first generation that names it; requests reach
 * it through the ordinary client, so that nothing about it is special.
 */
export function builtinNodes(): (name: string) => { unix: string } {
  const unix = `\0sluice-httpbin-${process.pid}`;
  let started = false;
  return (name) => {
    assert(name === "httpbin", `Cannot serve builtin:${name}`);
    if (!started) serveHttpbin({ unix });
    started = true;
    return { unix };
  };
}
