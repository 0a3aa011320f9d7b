#!/usr/bin/env node
// Runs src/ through tsx; start it with `npm run dev -- vm list`.
import {start} from '../src/main.ts';

await start(import.meta.url, {commands: './src/commands'});
