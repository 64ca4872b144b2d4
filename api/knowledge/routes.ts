import type { Endpoint } from '../endpoint.js';
import { getFile } from './download.js';
import { getEntries, getOneEntry, getVersions, patchEntry, postEntry, removeEntry } from './entries.js';
import { postApprove, postReingest, postReject, postSubmit } from './review.js';
import { getKnowledgeSearch } from './search.js';
import { postFile, putFile } from './upload.js';

/** `/knowledge/search` goes before what has an id in its place. */
export const knowledgeRoutes: readonly Endpoint[] = [
  postEntry,
  postFile,
  getKnowledgeSearch,
  getEntries,
  getOneEntry,
  patchEntry,
  removeEntry,
  postSubmit,
  postApprove,
  postReject,
  postReingest,
  getVersions,
  getFile,
  putFile,
];
