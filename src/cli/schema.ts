import { print } from "../base/standard-streams.ts";
import { jsonSchema } from "../config/json-schema.ts";
import { parse } from "./args.ts";
import type { Command } from "./command.ts";

export const schema: Command = {
  usage: "schema",
  summary: "Print the JSON Schema of gateway.yaml",
  details: `
For editors: save it as gateway.schema.json and put this line first in gateway.yaml:
  # yaml-language-server: $schema=./gateway.schema.json`,
  async run(args) {
    parse(args, {}, 0);
    print(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    return 0;
  },
};
