import { z } from 'zod';
import { announceAccountChange } from '../../shared/accounts/announce-change.js';
import { changePassword } from '../../shared/accounts/change-password.js';
import { findUser, renameUser } from '../../shared/accounts/users.js';
import { notFound } from '../../shared/errors.js';
import { endpoint } from '../endpoint.js';
import { addressOf } from './present.js';
import { newPassword, password, userName, userSchema } from './schemas.js';

export const getMe = endpoint({
  method: 'get',
  path: '/auth/me',
  tag: 'auth',
  auth: 'user',
  summary: 'The account that is signed in',
  response: { status: 200, description: 'The account.', schema: userSchema },
  async handler({ ctx, principal }) {
    const user = await findUser(ctx.database, principal.userId);
    if (!user) throw notFound('The account');
    return user;
  },
});

const changes = z
  .strictObject({ name: userName.optional(), currentPassword: password.optional(), password: newPassword.optional() })
  .refine((body) => body.name !== undefined || body.password !== undefined, 'name or password must be given')
  .refine((body) => (body.password === undefined) === (body.currentPassword === undefined), {
    path: ['currentPassword'],
    message: 'belongs to a new password, and a new password needs it',
  });

export const patchMe = endpoint({
  method: 'patch',
  path: '/auth/me',
  tag: 'auth',
  auth: 'user',
  summary: 'Change name or password',
  description: 'A new password ends the other sessions of the account. Its API keys stay.',
  body: changes,
  response: { status: 200, description: 'The account as it is now.', schema: userSchema },
  errors: ['invalid_credentials'],
  async handler({ ctx, principal, body, req }) {
    const { userId, email, credential } = principal;
    if (body.password !== undefined && body.currentPassword !== undefined) {
      await changePassword(
        { database: ctx.database, passwords: ctx.accounts.passwords },
        {
          userId,
          sessionId: credential.type === 'session' ? credential.id : null,
          currentPassword: body.currentPassword,
          newPassword: body.password,
        },
        ctx.accounts.throttle.attempt({ email, address: addressOf(req) }),
      );
    }
    const user =
      body.name === undefined
        ? await findUser(ctx.database, userId)
        : await renameUser(ctx.database, userId, body.name);
    announceAccountChange(ctx, userId);
    if (!user) throw notFound('The account');
    return user;
  },
});
