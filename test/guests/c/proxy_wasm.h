// What these guests use of the Proxy-Wasm ABI 0.2.1, and nothing else: there is no libc below.
#pragma once

typedef unsigned int u32;
typedef unsigned char u8;

#define EXPORT(name) __attribute__((export_name(#name))) extern
#define HOST(name) __attribute__((import_module("env"), import_name(#name))) extern

enum { STATUS_OK = 0 };
enum { ACTION_CONTINUE = 0 };
enum { MAP_REQUEST_HEADERS = 0, MAP_RESPONSE_HEADERS = 2 };
enum { BUFFER_PLUGIN_CONFIGURATION = 7 };
enum { LOG_ERROR = 4 };

HOST(proxy_log) u32 proxy_log(u32 level, const char *message, u32 length);
HOST(proxy_get_buffer_bytes)
u32 proxy_get_buffer_bytes(u32 type, u32 start, u32 max, char **bytes, u32 *length);
HOST(proxy_get_header_map_pairs)
u32 proxy_get_header_map_pairs(u32 map, u8 **pairs, u32 *length);
HOST(proxy_add_header_map_value)
u32 proxy_add_header_map_value(u32 map, const char *name, u32 name_length, const char *value,
                               u32 value_length);

// Text that is not ended by a zero; `at` is a block of the heap when somebody has to free it.
typedef struct {
  char *at;
  u32 length;
} text;

#define LITERAL(string) ((text){(char *)(string), sizeof(string) - 1})

static inline void log_error(text message) { proxy_log(LOG_ERROR, message.at, message.length); }

static inline void add_header(u32 map, text name, text value) {
  proxy_add_header_map_value(map, name.at, name.length, value.at, value.length);
}

// Configuration of the plugin; the caller owns it. Empty when there is none.
static inline text plugin_configuration(u32 length) {
  text read = {0, 0};
  if (length == 0) return read;
  u32 status = proxy_get_buffer_bytes(BUFFER_PLUGIN_CONFIGURATION, 0, length, &read.at, &read.length);
  if (status != STATUS_OK) read.length = 0;
  return read;
}
