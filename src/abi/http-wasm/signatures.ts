/** The module that guests import host functions from, and how the drafts of 2022 spelled it. */
export const HTTP_HANDLER_MODULE = "http_handler";
export const HTTP_HANDLER_DRAFT_MODULE = "http-handler";

/** Every function of it, with its type (see abi/signature.ts). */
export const HTTP_HANDLER_SIGNATURES = {
  enable_features: "i>i",
  get_config: "ii>i",
  log_enabled: "i>i",
  log: "iii>",
  get_method: "ii>i",
  set_method: "ii>",
  get_uri: "ii>i",
  set_uri: "ii>",
  get_protocol_version: "ii>i",
  get_source_addr: "ii>i",
  get_header_names: "iii>I",
  get_header_values: "iiiii>I",
  set_header_value: "iiiii>",
  add_header_value: "iiiii>",
  remove_header: "iii>",
  read_body: "iii>I",
  write_body: "iii>",
  get_status_code: ">i",
  set_status_code: "i>",
} as const;

export type HttpHandlerName = keyof typeof HTTP_HANDLER_SIGNATURES;

/** What a guest must export, with its type: the ABI has no marker. */
export const HTTP_GUEST_SIGNATURES = {
  handle_request: ">I",
  handle_response: "ii>",
} as const;

export type HttpGuestName = keyof typeof HTTP_GUEST_SIGNATURES;
