/** Which updates of a document are here. */
export type SeenSeqs = {
  /** Everything up to this seq is here. */
  upTo(): number;
  add(seq: number): void;
  /** Everything up to `seq` is here. */
  raise(seq: number): void;
  /** Something is here whose predecessors are not. */
  hasGap(): boolean;
};

export function createSeenSeqs(): SeenSeqs {
  let upTo = 0;
  const beyond = new Set<number>();

  function advance(): void {
    while (beyond.delete(upTo + 1)) upTo += 1;
  }

  return {
    upTo: () => upTo,
    add(seq) {
      if (seq > upTo) beyond.add(seq);
      advance();
    },
    raise(seq) {
      if (seq <= upTo) return;
      upTo = seq;
      for (const other of beyond) if (other <= upTo) beyond.delete(other);
      advance();
    },
    hasGap: () => beyond.size > 0,
  };
}
