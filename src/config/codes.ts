/**
 * Every diagnostic of a configuration, with what it means. docs/CONFIG.md is generated from this
 * table, and a golden file exists for each.
 */
export const DIAGNOSTIC_CODES = {
  CONFIG_FILE_UNREADABLE: "The file does not exist, is no file, or may not be read.",
  CONFIG_FILE_TOO_LARGE: "The file has more bytes than the gateway reads.",
  CONFIG_ENCODING: "The file is not UTF-8 text, or holds a control character such as NUL.",
  CONFIG_EMPTY: "The file holds nothing, as a half-written file does.",
  CONFIG_YAML_SYNTAX: "The text is not one well-formed YAML 1.2 document.",
  CONFIG_YAML_KEY: "A key is not plain text, or stands twice in one mapping.",
  CONFIG_YAML_ALIAS: "An alias has no anchor, contains itself, or aliases stand for too much.",
  CONFIG_YAML_DEPTH: "Lists and mappings stand too deep inside one another.",
  CONFIG_ENV_UNSET: "An environment variable is not set and has no default.",
  CONFIG_ENV_SYNTAX: "A ${{…}} is not of the form ${{NAME}} or ${{NAME:=default}}.",
  CONFIG_UNKNOWN_KEY: "A mapping has a key that means nothing there.",
  CONFIG_UNSUPPORTED: "A word of APISIX, or one that is planned, that this version cannot do yet.",
  CONFIG_MISSING_KEY: "A mapping lacks a key that it needs.",
  CONFIG_KEY_CONFLICT: "Two keys of one mapping exclude each other.",
  CONFIG_WRONG_TYPE: "A value is of another kind: text where a mapping is expected, and the like.",
  CONFIG_BAD_VALUE: "A value is of the right kind, but not one of those that are possible.",
  CONFIG_BAD_URI: "A route's uri can match no path.",
  CONFIG_BAD_HOST: "A host is neither a name nor a wildcard such as *.example.com.",
  CONFIG_BAD_ADDRESS:
    "The address of a listener, a node or a call-out cannot be read, or is none for `admin`.",
  CONFIG_BAD_REGEX: "A regular expression does not compile, or a replacement does not fit to it.",
  CONFIG_DUPLICATE_ID:
    "Two upstreams, routes or plugins have the same name, or two certificates one of `snis`.",
  CONFIG_DUPLICATE_LISTENER:
    "Two listeners have the same address, or `admin` has a port of `listen`.",
  CONFIG_DUPLICATE_NODE: "An upstream names the same node twice.",
  CONFIG_UNKNOWN_UPSTREAM: "An upstream is used that is not declared.",
  CONFIG_UNKNOWN_PLUGIN:
    "A plugin is used that is neither built in, nor declared, nor in plugins_dir.",
  CONFIG_UNKNOWN_NAMESPACE: "allow.queues names a namespace that no plugin has.",
  CONFIG_NO_UPSTREAM: "A route does not say where its requests go.",
  CONFIG_NO_WEIGHT: "No node of an upstream can be chosen: there is none, or all weights are 0.",
  CONFIG_PLUGIN_FILE: "A plugin's module, or the plugin folder, cannot be read.",
  CONFIG_CERTIFICATE_FILE: "The file of a certificate or of a key cannot be read.",
  CONFIG_NO_CERTIFICATE: "A listener has `tls: true`, and there is no certificate in `ssls`.",
  CONFIG_TLS_FRONT: "A listener's front cannot have as many certificates as there are.",
  CONFIG_TOO_MANY: "There are more diagnostics than are shown.",
  CONFIG_NO_ROUTES: "Warning: no route is enabled, so every request is answered with 404.",
  CONFIG_REPEATED_ROUTE: "Warning: a route matches the same requests as one before it.",
  CONFIG_UNUSED_KEY: "Warning: a key has no effect beside the others of its mapping.",
  CONFIG_PLUGIN_IGNORED: "Warning: a file of the plugin folder is not used.",
} as const satisfies Record<string, string>;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
