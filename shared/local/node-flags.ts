/** What Node is told before the entry of a process, here as in the Procfile and the Dockerfile. */
type NodeFlags = Readonly<Record<'web' | 'worker', readonly string[]>>;

/**
 * A web process keeps about 60 MB alive and makes garbage with each request. Told nothing, V8 lets the old generation
 * grow fourfold between two collections, because the machine has the memory: with 20 clients that search at once it was
 * seen at 382 MiB resident, and grew still. With a limit on the heap it collects sooner: 219 MiB after 7,000 searches,
 * and 201 with half the room for what is new, for no processor time that could be told from noise. The limit itself is
 * far away. (A limit of 512 saves another 15 MiB; `--optimize-for-size` 70, for twice the processor time.)
 */
export const nodeFlags: NodeFlags = {
  web: ['--enable-source-maps', '--max-old-space-size=1024', '--max-semi-space-size=8'],
  worker: ['--enable-source-maps'],
};
