/** Names of rooms, the same in sockets, channels and payloads. */
export const rooms = {
  conversation: (id: string): string => `conversation:${id}`,
  job: (id: string): string => `job:${id}`,
  user: (id: string): string => `user:${id}`,
};

/** The id in the name of a conversation's room; null for other rooms. */
export function conversationOf(room: string): string | null {
  return room.startsWith('conversation:') ? room.slice('conversation:'.length) : null;
}
