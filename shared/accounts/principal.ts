/** What an account may do; the table is in the README, under Security. */
export const roles = ['admin', 'power', 'regular', 'guest'] as const;
export type Role = (typeof roles)[number];

/** Who makes a request: an account, as it was at most a second ago. */
export type Principal = {
  userId: string;
  name: string;
  email: string;
  role: Role;
  /** The login that the access token belongs to, or the API key. */
  credential: { type: 'session' | 'api-key'; id: string };
  /** When the token stops being accepted, in epoch milliseconds; null for API keys without an end. */
  expiresAt: number | null;
};
