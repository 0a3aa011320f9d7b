import {createRequire} from 'node:module';

type Lmdb = typeof import('lmdb');

/** When it is first needed: LMDB brings native code, and loading it takes longer than reading a thousand records. */
export const loadLmdb = (): Lmdb => createRequire(import.meta.url)('lmdb') as Lmdb;
