import type { HttpHandlerName } from "../../src/abi/http-wasm/signatures.ts";

const RETURNS = "returns";
const TRAP = "trap";

/** What each function comes to in this host: the ABI has no statuses. */
export const HTTP_WASM_RESULTS: Readonly<Record<HttpHandlerName, readonly string[]>> = {
  enable_features: [RETURNS],
  get_config: [RETURNS, TRAP],
  log_enabled: [RETURNS],
  log: [RETURNS],
  get_method: [RETURNS, TRAP],
  set_method: [RETURNS, TRAP],
  get_uri: [RETURNS, TRAP],
  set_uri: [RETURNS, TRAP],
  get_protocol_version: [RETURNS, TRAP],
  get_source_addr: [RETURNS, TRAP],
  get_header_names: [RETURNS, TRAP],
  get_header_values: [RETURNS, TRAP],
  set_header_value: [RETURNS, TRAP],
  add_header_value: [RETURNS, TRAP],
  remove_header: [RETURNS, TRAP],
  read_body: [RETURNS, TRAP],
  write_body: [RETURNS, TRAP],
  get_status_code: [RETURNS, TRAP],
  set_status_code: [RETURNS, TRAP],
};
