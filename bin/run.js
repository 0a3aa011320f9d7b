#!/usr/bin/env node
import * as module from 'node:module';

module.enableCompileCache?.();
const {start} = await import('../dist/main.js');
await start(import.meta.url);
