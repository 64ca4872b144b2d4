/** So often in a row a server may end while it starts: what has ended it before may be at it still. */
const maxTries = 3;

/**
 * Starts a server again that has ended by itself.
 *
 * @param isWanted asked before each try.
 * @throws what the last try threw.
 */
export async function bringBack(start: () => Promise<void>, isWanted: () => boolean): Promise<void> {
  for (let tries = 1; isWanted(); tries += 1) {
    try {
      await start();
      return;
    } catch (error) {
      if (tries === maxTries || !isWanted()) throw error;
    }
  }
}
