/** What a balancer chooses among. */
export interface Weighted {
  /** Share of the picks, relative to the others'; 0: never. */
  readonly weight: number;
}

/** Chooses the node for an attempt. */
export interface Balancer<Node extends Weighted> {
  /**
   * @param exclude nodes that were tried already
   * @returns undefined when no node is left
   */
  pick(exclude?: readonly Node[]): Node | undefined;
}
