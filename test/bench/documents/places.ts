import type * as Y from 'yjs';

type Place = { at: number; remove: number };

/** Recorded places count code points; those of Yjs count UTF-16 units. Only where they can differ is it looked at the text. */
export function placesIn(
  txns: readonly { patches: readonly (readonly [number, number, string])[] }[],
): (text: Y.Text, position: number, deleted: number) => Place {
  const differ = txns.some(({ patches }) => patches.some(([, , insert]) => /[\ud800-\udfff]/.test(insert)));
  if (!differ) return (_text, position, deleted) => ({ at: position, remove: deleted });
  return (text, position, deleted) => {
    const points = [...text.toString()];
    return {
      at: points.slice(0, position).join('').length,
      remove: points.slice(position, position + deleted).join('').length,
    };
  };
}
