import { type ModuleImport, type ModuleOutline, renderType } from "../../wasm/binary/outline.ts";
import { type ModuleProblem, shownImport } from "../module-problem.ts";
import { signature } from "../signature.ts";
import {
  HTTP_GUEST_SIGNATURES,
  HTTP_HANDLER_DRAFT_MODULE,
  HTTP_HANDLER_MODULE,
} from "./signatures.ts";

/** Whether it has anything of the ABI, of its drafts included: there is no marker. */
export function looksLikeHttpWasm(outline: ModuleOutline): boolean {
  const exported = outline.exports.some(
    (each) => each.kind === "function" && Object.hasOwn(HTTP_GUEST_SIGNATURES, each.name),
  );
  return exported || outline.imports.some(isHttpHandler);
}

/** What is wrong with its exports, or that it is a draft's; imports are looked at elsewhere. */
export function httpWasmProblems(outline: ModuleOutline): ModuleProblem[] {
  const found = draftOf(outline);
  if (found === undefined) return exportProblems(outline);
  return [
    {
      code: "HTTP_WASM_DRAFT",
      message:
        `the module is made for a draft of http-wasm: ${found}; ` +
        `build it with a guest library of 2023 or later`,
    },
  ];
}

/** Functions of the drafts of 2022, which nobody implements any more. */
const DRAFT_FUNCTIONS: ReadonlySet<string> = new Set([
  "await_response",
  "next",
  "send_response",
  "get_path",
  "set_path",
  "get_request_header",
  "get_request_header_names",
  "get_response_header",
  "get_response_header_names",
  "set_request_header",
  "set_response_header",
  "get_request_trailer",
  "get_response_trailer",
  "read_request_body",
  "read_response_body",
  "write_request_body",
  "write_response_body",
]);

function draftOf(outline: ModuleOutline): string | undefined {
  const imported = outline.imports.find(
    (each) =>
      each.module === HTTP_HANDLER_DRAFT_MODULE ||
      (each.module === HTTP_HANDLER_MODULE && DRAFT_FUNCTIONS.has(each.name)),
  );
  if (imported !== undefined) return `it imports "${shownImport(imported)}"`;
  const names = new Set(outline.exports.map((each) => each.name));
  const isHandle = names.has("handle") && !names.has("handle_request");
  return isHandle ? 'it exports "handle" in place of "handle_request"' : undefined;
}

function exportProblems({ exports }: ModuleOutline): ModuleProblem[] {
  const problems: ModuleProblem[] = [];
  for (const [name, short] of Object.entries(HTTP_GUEST_SIGNATURES)) {
    const type = exports.find((each) => each.name === name && each.kind === "function")?.type;
    const expected = renderType(signature(short));
    if (type === undefined) {
      problems.push({
        code: "NO_HANDLER",
        message: `the module does not export the function "${name}" of type ${expected}`,
      });
    } else if (renderType(type) !== expected) {
      problems.push({
        code: "EXPORT_SIGNATURE",
        message:
          `the module exports "${name}" with a wrong signature: ` +
          `expected ${expected}, found ${renderType(type)}`,
      });
    }
  }
  return problems;
}

function isHttpHandler({ module }: ModuleImport): boolean {
  return module === HTTP_HANDLER_MODULE || module === HTTP_HANDLER_DRAFT_MODULE;
}
