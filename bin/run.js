#!/usr/bin/env node
import * as module from 'node:module';
import {homedir} from 'node:os';

// oclif asks for the user's shell and home, and fails where the user id has no name, as in many containers.
process.env.SHELL ??= '/bin/sh';
try {
  homedir();
} catch {
  process.env.HOME = '/';
}

module.enableCompileCache?.();
const {start} = await import('../dist/main.js');
await start(import.meta.url);
