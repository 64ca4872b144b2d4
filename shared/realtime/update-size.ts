/** The longest update of a document, in bytes: what somebody wrote while offline arrives in one. */
export const maxUpdateBytes = 6 * 1024 * 1024;
