// Adds "x-guest: c" to responses, and to requests the header that the configuration says.
//
//   configuration: NAME ":" VALUE, blanks around both are left out
#include "heap.h"
#include "proxy_wasm.h"

static text request_name;
static text request_value;

static text trimmed(char *from, char *to) {
  while (from < to && (*from == ' ' || *from == '\t')) from++;
  while (from < to && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\n')) to--;
  return (text){from, (u32)(to - from)};
}

// Copies what is kept: the configuration is given back to the heap.
static text copied(text from) {
  text copy = {heap_allocate(from.length), from.length};
  if (copy.at == 0) __builtin_trap();
  __builtin_memcpy(copy.at, from.at, from.length);
  return copy;
}

EXPORT(proxy_abi_version_0_2_1) void abi_version(void) {}

EXPORT(proxy_on_memory_allocate) void *on_memory_allocate(u32 size) { return heap_allocate(size); }

EXPORT(proxy_on_configure) u32 on_configure(u32 root, u32 size) {
  (void)root;
  text all = plugin_configuration(size);
  char *end = all.at + all.length;
  char *colon = all.at;
  while (colon < end && *colon != ':') colon++;
  text name = trimmed(all.at, colon);
  if (colon == end || name.length == 0) {
    log_error(LITERAL("Cannot read the configuration: it is not NAME: VALUE"));
    return 0;
  }
  request_name = copied(name);
  request_value = copied(trimmed(colon + 1, end));
  heap_free(all.at);
  return 1;
}

EXPORT(proxy_on_request_headers) u32 on_request_headers(u32 stream, u32 count, u32 end) {
  (void)stream, (void)count, (void)end;
  add_header(MAP_REQUEST_HEADERS, request_name, request_value);
  return ACTION_CONTINUE;
}

EXPORT(proxy_on_response_headers) u32 on_response_headers(u32 stream, u32 count, u32 end) {
  (void)stream, (void)count, (void)end;
  add_header(MAP_RESPONSE_HEADERS, LITERAL("x-guest"), LITERAL("c"));
  return ACTION_CONTINUE;
}
