import type { Accounts } from '../shared/accounts/accounts.js';
import type { PrincipalCache } from '../shared/accounts/principal-cache.js';
import type { Context } from '../shared/context.js';
import type { Appender } from '../shared/documents/appender.js';
import type { KnownClocks } from '../shared/documents/known-clocks.js';
import type { MergeTrials } from '../shared/documents/merge-trials.js';
import type { QueryEncoder } from '../shared/knowledge/query-vectors.js';
import type { OneAtATime } from '../shared/one-at-a-time.js';
import type { RealtimeHub } from './realtime/hub.js';

/** What a web process has beyond every process. */
export type WebContext = Context & {
  /** Who a token or key stands for. */
  principals: PrincipalCache;
  /** Signing in: passwords, access tokens, and the throttle against guessing. */
  accounts: Accounts;
  /** The rooms that are open in this process. */
  realtime: RealtimeHub;
  /** Makes vectors of what people search for. */
  encodeQuery: QueryEncoder;
  /** Where edits of documents are stored. */
  documents: Appender;
  /** What the documents hold, as far as edits need it to be there. */
  documentClocks: KnownClocks;
  /** Tries edits that might be too much to merge. */
  mergeTrials: MergeTrials;
  /** Takes in one message or file of an account at a time. */
  oneAtATime: OneAtATime;
};
