// Counts the bytes of all names and values of a request's headers, and says the sum in a header of
// the response.
//
//   configuration: name of that header, "x-header-bytes" when there is none
#include "heap.h"
#include "proxy_wasm.h"

// One exchange, from its request headers to its end.
typedef struct stream {
  u32 id;
  u32 header_bytes;
  struct stream *next;
} stream;

static stream *streams;
static text header_name;

// Sum of all lengths in a serialized map: count, then a pair of lengths for each header. What does
// not fit into `length` bytes is not counted.
static u32 counted(const u8 *pairs, u32 length) {
  if (length < 4) return 0;
  u32 count;
  __builtin_memcpy(&count, pairs, 4);
  u32 sum = 0;
  for (u32 index = 0; index < 2 * count && 4 + 4 * index + 4 <= length; index++) {
    u32 bytes;
    __builtin_memcpy(&bytes, pairs + 4 + 4 * index, 4);
    sum += bytes;
  }
  return sum;
}

// Decimal digits of the number, in a buffer of 10.
static text digits_of(u32 number, char buffer[10]) {
  char *at = buffer + 10;
  do *--at = (char)('0' + number % 10);
  while (number /= 10);
  return (text){at, (u32)(buffer + 10 - at)};
}

EXPORT(proxy_abi_version_0_2_1) void abi_version(void) {}

EXPORT(proxy_on_memory_allocate) void *on_memory_allocate(u32 size) { return heap_allocate(size); }

EXPORT(proxy_on_configure) u32 on_configure(u32 root, u32 size) {
  (void)root;
  header_name = plugin_configuration(size);
  if (header_name.length == 0) header_name = LITERAL("x-header-bytes");
  return 1;
}

EXPORT(proxy_on_request_headers) u32 on_request_headers(u32 id, u32 count, u32 end) {
  (void)count, (void)end;
  u8 *pairs = 0;
  u32 length = 0;
  if (proxy_get_header_map_pairs(MAP_REQUEST_HEADERS, &pairs, &length) != STATUS_OK) {
    log_error(LITERAL("Cannot read the request's headers"));
    return ACTION_CONTINUE;
  }
  stream *added = heap_allocate(sizeof(stream));
  if (added == 0) __builtin_trap();
  *added = (stream){id, counted(pairs, length), streams};
  streams = added;
  heap_free(pairs);
  return ACTION_CONTINUE;
}

EXPORT(proxy_on_response_headers) u32 on_response_headers(u32 id, u32 count, u32 end) {
  (void)count, (void)end;
  for (stream *at = streams; at; at = at->next) {
    if (at->id != id) continue;
    char buffer[10];
    add_header(MAP_RESPONSE_HEADERS, header_name, digits_of(at->header_bytes, buffer));
  }
  return ACTION_CONTINUE;
}

EXPORT(proxy_on_delete) void on_delete(u32 id) {
  for (stream **link = &streams; *link; link = &(*link)->next) {
    stream *found = *link;
    if (found->id != id) continue;
    *link = found->next;
    heap_free(found);
    return;
  }
}
