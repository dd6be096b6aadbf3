import { ObjectReader } from "./json";
import { Text } from "./text";

/** What the configuration says: {"name": "X-Wasm-Added", "value": "True", "on": "both"}. */
export class Settings {
  name: Text = new Text(0, 0);
  value: Text = new Text(0, 0);
  onRequest: bool = true;
  onResponse: bool = true;
  /** What is wrong with the configuration, null when nothing is. */
  problem: string | null = null;
}

export function readSettings(json: Text): Settings {
  const settings = new Settings();
  const reader = new ObjectReader(json);
  let seen = 0;
  let key = reader.key();
  while (key && !settings.problem) {
    const value = reader.value();
    if (!value) break;
    const bit = apply(settings, key, value);
    if (seen & bit) settings.problem = "a key is given twice";
    seen |= bit;
    key = reader.key();
  }
  if (settings.problem) return settings;
  if (reader.problem) settings.problem = reader.problem;
  else if (!(seen & SEEN_NAME)) settings.problem = 'the key "name" is missing';
  else if (!(seen & SEEN_VALUE)) settings.problem = 'the key "value" is missing';
  return settings;
}

const SEEN_NAME = 1;
const SEEN_VALUE = 2;
const SEEN_ON = 4;

/** @returns the bit of the key */
function apply(settings: Settings, key: Text, value: Text): i32 {
  if (key.equals("name")) {
    if (!isToken(value)) settings.problem = '"name" is not the name of a header';
    settings.name = value;
    return SEEN_NAME;
  }
  if (key.equals("value")) {
    if (!isFieldValue(value)) settings.problem = '"value" holds a control character';
    settings.value = value;
    return SEEN_VALUE;
  }
  if (key.equals("on")) {
    const both = value.equals("both");
    settings.onRequest = both || value.equals("request");
    settings.onResponse = both || value.equals("response");
    if (!settings.onRequest && !settings.onResponse) {
      settings.problem = '"on" is neither "request" nor "response" nor "both"';
    }
    return SEEN_ON;
  }
  settings.problem = 'a key is none of "name", "value" and "on"';
  return 0;
}

function isToken(text: Text): bool {
  for (let index: usize = 0; index < text.length; index++) {
    const byte = text.byte(index);
    const lower = byte | 0x20;
    const letterOrDigit = (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
    if (!letterOrDigit && !"!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte))) return false;
  }
  return text.length > 0;
}

function isFieldValue(text: Text): bool {
  for (let index: usize = 0; index < text.length; index++) {
    const byte = text.byte(index);
    if ((byte < 0x20 && byte != 0x09) || byte == 0x7f) return false;
  }
  return true;
}
