/** Names of rooms, the same in sockets, channels and payloads. */
export const rooms = {
  conversation: (id: string): string => `conversation:${id}`,
  document: (id: string): string => `document:${id}`,
  job: (id: string): string => `job:${id}`,
  user: (id: string): string => `user:${id}`,
};

/** The id in the name of a conversation's room; null for other rooms. */
export function conversationOf(room: string): string | null {
  return room.startsWith('conversation:') ? room.slice('conversation:'.length) : null;
}

/** The id in the name of a document's room; null for other rooms. */
export function documentOf(room: string): string | null {
  return room.startsWith('document:') ? room.slice('document:'.length) : null;
}

/** The id in the name of a job's room; null for other rooms. */
export function jobOf(room: string): string | null {
  return room.startsWith('job:') ? room.slice('job:'.length) : null;
}

/** True for rooms whose readers see who else is there. */
export const isShared = (room: string): boolean => conversationOf(room) !== null || documentOf(room) !== null;
