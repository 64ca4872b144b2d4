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

/**
 * One heap of malloc for all threads, in a web process. Each password is hashed in 19 MiB on one of four threads, and
 * glibc keeps a heap for each: after eight logins a process was at 196 MiB resident, and is at 148 with this. A hash takes
 * as long, 50 ms. (Giving them back to the system after each hash, with MALLOC_TRIM_THRESHOLD_, takes 20 ms.)
 */
export const webEnvironment = { MALLOC_ARENA_MAX: '1' } as const;
