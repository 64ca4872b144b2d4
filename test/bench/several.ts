/**
 * Does `work` for each item, at most `atOnce` at a time, and returns the results in order.
 *
 * @throws what the first of them throws that fails.
 */
export async function severalAtOnce<Item, Value>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Value>,
): Promise<Value[]> {
  const results: Value[] = [];
  let next = 0;
  const take = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  return results;
}
