/** What the messages of the user with many of them say, and those of the other one. */
export const manyMark = 'one of many';
export const singleMark = 'a single one';
