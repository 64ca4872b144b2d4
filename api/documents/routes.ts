import type { Endpoint } from '../endpoint.js';
import { deleteAccess, getAccess, putAccess } from './access.js';
import { deleteOneDocument } from './delete-document.js';
import { getDocuments, getExport, getOneDocument } from './get-documents.js';
import { patchDocument } from './patch-document.js';
import { postDocument } from './post-document.js';
import { suggestionRoutes } from './suggestions.js';
import { getVersion, getVersionDiff, getVersions, postRestore } from './versions.js';

export const documentRoutes: readonly Endpoint[] = [
  postDocument,
  getDocuments,
  getOneDocument,
  patchDocument,
  deleteOneDocument,
  getAccess,
  putAccess,
  deleteAccess,
  getExport,
  getVersions,
  getVersion,
  getVersionDiff,
  postRestore,
  ...suggestionRoutes,
];
