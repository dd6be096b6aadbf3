import { casesOf } from "../case.ts";
import { MAX, onRequest } from "../probe.ts";

const NAME = "emscripten_notify_memory_growth";

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() takes any number, at any time, and does nothing`,
    guest: {
      startSection: { calls: [[NAME, 0]] },
      on: onRequest([NAME, 0], [NAME, 1], [NAME, MAX]).on,
    },
    lines: [
      "emscripten_notify_memory_growth(memory=0)",
      "emscripten_notify_memory_growth(memory=0)",
      "emscripten_notify_memory_growth(memory=1)",
      "emscripten_notify_memory_growth(memory=4294967295)",
    ],
  },
]);
