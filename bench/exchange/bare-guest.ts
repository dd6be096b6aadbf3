import { join } from "node:path";
import { HEADER } from "./header-filter.ts";

const GUESTS = join(import.meta.dir, "../../test/guests");
/** Any id: a host without contexts does not look at it. */
const STREAM = 2;

/** A guest as the engine runs it when nobody watches over it. */
export interface BareGuest {
  /** How often it has added a header; none was. */
  readonly added: number;
  onRequestHeaders(): number;
  onResponseHeaders(): number;
}

type Callback = (...args: number[]) => number;

/** @param path below test/guests; a filter that adds headers */
export async function bareGuest(path: string): Promise<BareGuest> {
  const module = new WebAssembly.Module(await Bun.file(join(GUESTS, path)).bytes());
  const configuration = Buffer.from(HEADER, "latin1");
  let added = 0;
  const env: Record<string, Callback> = {};
  for (const { name } of WebAssembly.Module.imports(module)) env[name] = () => 0;
  env["proxy_add_header_map_value"] = () => {
    added++;
    return 0;
  };
  env["proxy_get_buffer_bytes"] = (_buffer, _start, _max, bytesOut = 0, lengthOut = 0) => {
    const at = call("proxy_on_memory_allocate")(configuration.length);
    const memory = (exports["memory"] as WebAssembly.Memory).buffer;
    new Uint8Array(memory).set(configuration, at);
    new DataView(memory).setUint32(bytesOut, at, true);
    new DataView(memory).setUint32(lengthOut, configuration.length, true);
    return 0;
  };
  const { exports } = new WebAssembly.Instance(module, { env });
  const call = (name: string): Callback => exports[name] as Callback;
  if (call("proxy_on_configure")(1, configuration.length) !== 1) {
    throw new Error(`Cannot trust this benchmark: ${path} refuses its configuration`);
  }
  const onRequestHeaders = call("proxy_on_request_headers");
  const onResponseHeaders = call("proxy_on_response_headers");
  return {
    get added() {
      return added;
    },
    onRequestHeaders: () => onRequestHeaders(STREAM, 2, 1),
    onResponseHeaders: () => onResponseHeaders(STREAM, 5, 0),
  };
}
