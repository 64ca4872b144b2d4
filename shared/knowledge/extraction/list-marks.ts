/** What stands before the items of lists inside of one another: a number or a dash. */
export function listMarks(): {
  begin(kind: 'ol' | 'ul', start?: string): void;
  /** @param value the number that an item says to have. */
  next(value?: string): string;
  end(): void;
} {
  /** For each open list the number of its last item; undefined where items have none. */
  const open: (number | undefined)[] = [];
  return {
    begin(kind, start) {
      open.push(kind === 'ol' ? (numberOf(start) ?? 1) - 1 : undefined);
    },
    next(value) {
      const last = open.at(-1);
      if (last === undefined) return '-';
      const number = numberOf(value) ?? last + 1;
      open[open.length - 1] = number;
      return `${number}.`;
    },
    end() {
      open.pop();
    },
  };
}

const numberOf = (text: string | undefined): number | undefined =>
  text && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
