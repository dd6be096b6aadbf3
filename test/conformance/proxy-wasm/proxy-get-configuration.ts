import { casesOf, handsNothingOver, refusedOutsideOfContexts } from "../case.ts";
import { out } from "../probe.ts";

const NAME = "proxy_get_configuration";
const CALLS = [[NAME, out(), out()]] as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() hands over the plugin's inside proxy_on_configure, else the VM's`,
    guest: {
      abi: "0.1.0",
      on: {
        proxy_on_context_create: { calls: CALLS },
        proxy_on_vm_start: { calls: CALLS },
        proxy_on_configure: { calls: CALLS },
        proxy_on_request_headers: { calls: CALLS },
      },
    },
    run: { config: "of the plugin", vmConfig: "of the VM \0\xff" },
    lines: [
      'proxy_get_configuration() = Ok -> configuration="of the VM \\x00\\xff"',
      'proxy_get_configuration() = Ok -> configuration="of the VM \\x00\\xff"',
      'proxy_get_configuration() = Ok -> configuration="of the plugin"',
      'proxy_get_configuration() = Ok -> configuration="of the VM \\x00\\xff"',
      'proxy_get_configuration() = Ok -> configuration="of the VM \\x00\\xff"',
    ],
  },
  {
    name: `${NAME}() is there for the later versions, too`,
    guest: { abi: "0.2.1", on: { proxy_on_configure: { calls: CALLS } } },
    run: { config: "x" },
    lines: ['proxy_get_configuration() = Ok -> configuration="x"'],
  },
  {
    name: `${NAME}() asks the allocator for nothing when there is nothing`,
    guest: {
      allocator: { answers: "trap" },
      on: { proxy_on_vm_start: { calls: CALLS }, proxy_on_configure: { calls: CALLS } },
    },
    lines: [
      'proxy_get_configuration() = Ok -> configuration=""',
      'proxy_get_configuration() = Ok -> configuration=""',
    ],
  },
  ...handsNothingOver((ptr, length) => [NAME, ptr, length], `${NAME}()`, { vmConfig: "x" }),
  ...refusedOutsideOfContexts([NAME, out(), out()], `${NAME}()`),
]);
