// Adds "x-guest: http-wasm" to responses, and to requests the header that the configuration says.
//
//   configuration: NAME ":" VALUE, at most 512 bytes, blanks around both are left out
#include "http_wasm.h"

enum { CONFIGURATION_BYTES_MAX = 512 };

static char configuration[CONFIGURATION_BYTES_MAX];
static text header_name, header_value;

static text trimmed(text part) {
  while (part.length > 0 && part.at[0] == ' ') part.at++, part.length--;
  while (part.length > 0 && part.at[part.length - 1] == ' ') part.length--;
  return part;
}

// Without a header in it, or a longer one, there is none to add.
static void read_configuration(void) {
  u32 length = get_config(configuration, CONFIGURATION_BYTES_MAX);
  if (length > CONFIGURATION_BYTES_MAX) return;
  for (u32 at = 0; at < length; at++) {
    if (configuration[at] != ':') continue;
    header_name = trimmed((text){configuration, at});
    header_value = trimmed((text){configuration + at + 1, length - at - 1});
    return;
  }
}

EXPORT(_initialize) void initialize(void) {
  // Without it the headers of a response have left when handle_response is called.
  enable_features(FEATURE_BUFFER_RESPONSE);
  read_configuration();
  log_info(LITERAL("Hello from http-wasm"));
}

// The upper half comes back in handle_response; 1: go on.
EXPORT(handle_request) u64 handle_request(void) {
  if (header_name.length > 0) set_header(KIND_REQUEST, header_name, header_value);
  return ((u64)7 << 32) | 1;
}

EXPORT(handle_response) void handle_response(u32 context, u32 is_error) {
  (void)is_error;
  if (context != 7) __builtin_trap();
  add_header(KIND_RESPONSE, LITERAL("x-guest"), LITERAL("http-wasm"));
}
