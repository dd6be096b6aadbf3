import { casesOf } from "../case.ts";
import { MAX, onRequest } from "../probe.ts";

export const conformance = casesOf("pthread_equal", [
  {
    name: "pthread_equal() compares two numbers, at any time",
    guest: {
      startSection: { calls: [["pthread_equal", 7, 7]] },
      on: {
        ...onRequest(
          ["pthread_equal", 0, 0],
          ["pthread_equal", 1, 2],
          ["pthread_equal", MAX, -1],
          ["pthread_equal", 0x8000_0000, 0x7fff_ffff],
        ).on,
      },
    },
    lines: [
      "pthread_equal() = 1",
      "pthread_equal() = 1",
      "pthread_equal() = 0",
      "pthread_equal() = 1",
      "pthread_equal() = 0",
    ],
  },
]);
