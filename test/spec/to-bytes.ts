/** The modules of the corpus from text to bytes, valid or not: who refuses them is the engine. */
import binaryen from "assemblyscript/binaryen";
import initWabt from "wabt";
import type { Translate } from "./wast.ts";

const wabt = await initWabt();

const FEATURES = {
  exceptions: true,
  extended_const: true,
  multi_memory: true,
  memory64: true,
  relaxed_simd: true,
  tail_call: true,
  threads: true,
};

/** Says in a module's text that wabt cannot write it (GC, calls through typed references). */
const BY_BINARYEN = ";; binaryen";

export const toBytes: Translate = (text, where) => {
  if (text.includes(BY_BINARYEN)) {
    const module = binaryen.parseText(text);
    module.setFeatures(binaryen.Features.All);
    const bytes = module.emitBinary();
    module.dispose();
    return bytes;
  }
  const module = wabt.parseWat(where, text, FEATURES);
  try {
    return new Uint8Array(module.toBinary({ write_debug_names: false }).buffer);
  } finally {
    module.destroy();
  }
};
