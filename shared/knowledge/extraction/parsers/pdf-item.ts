/** A piece of text that a page draws at once, as the library gives it. */
export type TextItem = {
  str: string;
  /** The last two are where it begins, with the origin at the foot of the page. */
  transform: number[];
  width: number;
  height: number;
  /** The next item is on another line. */
  hasEOL: boolean;
  dir?: string;
};

export const xOf = (item: TextItem): number => item.transform[4] ?? 0;
export const yOf = (item: TextItem): number => item.transform[5] ?? 0;
