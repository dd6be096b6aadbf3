import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { FIRST_QUEUE } from "../queues.ts";
import { shownLong } from "../shown.ts";

const resolve = new Prototype("proxy_resolve_shared_queue", {
  vm_id: [text(""), '""'],
  name: [text("jobs"), '"jobs"'],
  queue: [out()],
});
const REGISTER: Call = ["proxy_register_shared_queue", text("jobs"), out()];

export const conformance = casesOf("proxy_resolve_shared_queue", [
  {
    name: "proxy_resolve_shared_queue() finds a queue by the own VM id, which need not be named",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [REGISTER, resolve.call(), resolve.call({ vm_id: text("plugin") })],
        },
      },
    },
    lines: [
      resolve.line(`Ok -> queue=${FIRST_QUEUE}`),
      resolve.line(`Ok -> queue=${FIRST_QUEUE}`, { vm_id: '"plugin"' }),
    ],
  },
  {
    name: "proxy_resolve_shared_queue() goes by the VM id that the configuration gives",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            REGISTER,
            resolve.call({ vm_id: text("plugin") }),
            resolve.call({ vm_id: text("team") }),
          ],
        },
      },
    },
    run: { allow: { namespace: "team" } },
    lines: [
      resolve.line("NotFound", { vm_id: '"plugin"' }),
      resolve.line(`Ok -> queue=${FIRST_QUEUE}`, { vm_id: '"team"' }),
    ],
  },
  {
    name: "proxy_resolve_shared_queue() does not find what nobody has registered, granted or not",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            resolve.call(),
            REGISTER,
            resolve.call({ name: text("mail") }),
            resolve.call({ name: text("jobs\0") }),
            resolve.call({ vm_id: text("other") }),
            resolve.call({ vm_id: text("granted") }),
            resolve.call({ name: text("q".repeat(1025)) }),
            resolve.call({ vm_id: text("v".repeat(1025)) }),
          ],
        },
      },
    },
    run: { allow: { queues: ["granted"] } },
    lines: [
      resolve.line("NotFound"),
      resolve.line("NotFound", { name: '"mail"' }),
      resolve.line("NotFound", { name: '"jobs\\x00"' }),
      resolve.line("NotFound", { vm_id: '"other"' }),
      resolve.line("NotFound", { vm_id: '"granted"' }),
      resolve.line("NotFound", { name: shownLong("q", 1025) }),
      resolve.line("NotFound", { vm_id: shownLong("v", 1025) }),
    ],
  },
  resolve.hostileCase(),
  ...refusedOutsideOfContexts(resolve.call(), resolve.line("")),
]);
