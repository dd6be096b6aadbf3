// What this guest uses of the http-wasm handler ABI, and nothing else: there is no libc below.
#pragma once

typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(#name))) extern
#define HOST(name) __attribute__((import_module("http_handler"), import_name(#name))) extern

enum { KIND_REQUEST = 0, KIND_RESPONSE = 1 };
enum { FEATURE_BUFFER_RESPONSE = 2 };
enum { LOG_INFO = 0 };

HOST(enable_features) u32 enable_features(u32 features);
HOST(get_config) u32 get_config(char *buffer, u32 limit);
HOST(log) void host_log(u32 level, const char *message, u32 length);
HOST(set_header_value)
void set_header_value(u32 kind, const char *name, u32 name_length, const char *value,
                      u32 value_length);
HOST(add_header_value)
void add_header_value(u32 kind, const char *name, u32 name_length, const char *value,
                      u32 value_length);

// Text that is not ended by a zero.
typedef struct {
  const char *at;
  u32 length;
} text;

#define LITERAL(string) ((text){(string), sizeof(string) - 1})

static inline void log_info(text message) { host_log(LOG_INFO, message.at, message.length); }

static inline void set_header(u32 kind, text name, text value) {
  set_header_value(kind, name.at, name.length, value.at, value.length);
}

static inline void add_header(u32 kind, text name, text value) {
  add_header_value(kind, name.at, name.length, value.at, value.length);
}
