import type { SuggestionView } from '../../shared/documents/suggestion.js';
import type { TestApp, TestUser } from './app.js';
import { eventually } from './eventually.js';

/** The suggestion at `path` when Claude is done with it. */
export const endedSuggestion = (app: TestApp, user: TestUser, path: string): Promise<SuggestionView> =>
  eventually(async () => {
    const { body } = await app.request('GET', path, { token: user.accessToken });
    if (!['ready', 'failed', 'cancelled'].includes(body.state)) throw new Error(`it is ${body.state}`);
    return body as SuggestionView;
  });
