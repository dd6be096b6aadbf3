import { type Address, PROT_NONE, PROT_READ_WRITE, systemLibc } from "../../base/libc.ts";

/** Has the next store to the page fault. @returns false when the kernel refuses */
export function shutPage(address: Address): boolean {
  return protect(address, PROT_NONE);
}

/** Has stores to the page work again. @returns false when the kernel refuses */
export function openPage(address: Address): boolean {
  return protect(address, PROT_READ_WRITE);
}

function protect(address: Address, protection: number): boolean {
  // One byte will do: the kernel rounds up to a whole page.
  return systemLibc()?.mprotect(address, 1, protection) === 0;
}
