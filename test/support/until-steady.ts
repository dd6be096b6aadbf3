/** Resolves when the value has been the same for many turns of the event loop. */
export async function untilSteady(value: () => number): Promise<void> {
  let last = Number.NaN;
  for (let steady = 0; steady < 2000; steady++) {
    if (value() !== last) steady = 0;
    last = value();
    await Bun.sleep(0);
  }
}
