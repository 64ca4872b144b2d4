import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Request, Response } from 'express';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readForm } from './multipart.js';

test('a form whose sender went away before it was read is refused, and not waited for', async () => {
  const req = new IncomingMessage(new Socket());
  req.headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const res = new ServerResponse(req);
  const closed = once(req, 'close');
  req.destroy();
  await closed;
  const read = readForm(
    { req: req as Request, res: res as Response },
    z.object({}),
    () => Promise.reject(new Error('There is nothing to store.')),
    () => {},
  );
  await expect(read).rejects.toThrow('The upload was broken off.');
});
