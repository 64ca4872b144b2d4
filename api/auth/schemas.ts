import { z } from 'zod';
import { roles } from '../../shared/accounts/principal.js';
import { line, text } from '../../shared/schemas.js';

/** An e-mail address: in lower case from here on, so that one address is one account. */
export const email = z.string().trim().toLowerCase().max(254).check(z.email());

/** A new password. Length is the only rule: others make passwords worse. */
export const newPassword = text(200, 10);

/** A password to be compared: anything that may have been one. */
export const password = text(200);

export const userName = line(100);

/** An account as its owner and admins see it. */
export const userSchema = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    role: z.enum(roles),
    disabled: z.boolean(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });

const tokens = {
  accessToken: z.string().describe('Send it as Authorization: Bearer, and in the handshake of a socket.'),
  refreshToken: z.string().describe('Good for one refresh, which gives the next one.'),
  expiresIn: z.int().describe('Seconds until the access token expires.'),
};

export const tokensSchema = z.object(tokens).meta({ id: 'Tokens' });

export const signedInSchema = z.object({ user: userSchema, ...tokens }).meta({ id: 'SignedIn' });

const apiKey = {
  id: z.uuid(),
  name: z.string(),
  hint: z.string().describe('The last four characters of the key.'),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable().describe('To the minute.'),
};

export const apiKeySchema = z.object(apiKey).meta({ id: 'ApiKey' });

export const newApiKeySchema = z
  .object({ ...apiKey, key: z.string().describe('The key itself, shown this once.') })
  .meta({ id: 'NewApiKey' });
